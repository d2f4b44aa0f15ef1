"""Labelled images: decoding, splits, revisions, corrections, thumbnails."""
