"""Files that are copied into a bundle as they are; they import nothing of ours."""
