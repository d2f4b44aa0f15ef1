"""Recordings, drawn: what makes of a sound the picture that all the rest works with.

A dataset has a kind, `images` or `sounds`. Of a dataset of sounds the revision holds
the `Spectrogram`, the parameters of its log-mel spectrograms; `renderings.decode` gives
them to `drawing.draw` where it gives pictures to `decoding.decode`. Beyond this seam
nobody knows of sounds: features and their cache, training, heat maps, neighbours,
evaluation and export work with uint8 pixels `(height, width, 3)` as ever. Rejected: to
keep drawn pictures in the dataset in place of the sounds, which could then be neither
heard nor drawn in another way.

These files go into every export of sounds as they are, so they import nothing of ours
but each other and errors, and of others NumPy and soundfile alone.
"""
