"""Labelled images: index, import, decoding, splits."""
