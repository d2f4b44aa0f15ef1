"""The starter: a small backbone that this project pretrained and ships."""
