"""Frozen prefixes are inference: run once per image, and their output kept."""
