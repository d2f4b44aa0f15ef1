"""The doctor: what may be wrong with images, labels and split, and how to mend it."""
