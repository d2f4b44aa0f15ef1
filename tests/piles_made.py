"""A pile of pictures as it stands once it was grouped."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from transfer.pile import suggest, waiting


def grouped(dataset: str, folder: Path, places: Sequence[tuple[float, float]]) -> None:
    """Brings a folder of pictures, and groups them as if by two features.

    Nothing is known of the dataset's own images.

    Args:
        dataset: Its name.
        folder: Pictures that are new to it.
        places: Features of each, in the order of their paths; those alike are a group.
    """
    waiting.bring(folder, dataset)
    hashes = [one.sha256 for one in waiting.read(dataset).pictures]
    features = np.array(places, np.float32)
    _, groups = np.unique(features, axis=0, return_inverse=True)
    noise = np.random.default_rng(0).normal(0, 0.02, features.shape)
    np.savez(
        waiting.folder_of(dataset) / suggest.FILE,
        hashes=np.array(hashes),
        groups=groups,
        features=features + noise.astype(np.float32),
        teachers=np.zeros((0, 2), np.float32),
        names=np.array([], dtype=str),
    )
