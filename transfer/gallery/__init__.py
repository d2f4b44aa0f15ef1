"""The images of a dataset as somebody wants to see them: filtered, sorted, by pages."""
