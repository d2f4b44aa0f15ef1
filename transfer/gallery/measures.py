"""How long and how loud each recording of a dataset is; heard once, and kept."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer.datasets import library
from transfer.datasets.kept_rows import KeptRows
from transfer.datasets.revision import Image
from transfer.datasets.sounds import recordings
from transfer.errors import TransferError

_KEPT = KeptRows("measures.npy", (("seconds", "f4"), ("loudness", "f4")))
#: Power of silence, so that it has a loudness: -100 dB of full scale.
_SILENCE = 1e-10


def of(dataset: str, images: Sequence[Image]) -> NDArray[Any]:
    """Seconds of each recording and its loudness, in dB of full scale, mean of all.

    Both are nan of what cannot be read.

    Raises:
        StorageError: The workspace cannot be written.
    """
    return _KEPT.of(dataset, [one.sha256 for one in images], _hear)


def _hear(sha256: str) -> tuple[float, float]:
    power = count = 0.0
    try:
        with recordings.open_recording(library.image_path(sha256)) as file:
            for block in recordings.blocks(file):
                power += float(np.square(block, dtype=np.float64).sum())
                count += len(block)
            seconds = count / file.samplerate
    except TransferError:  # damaged since it came; it is shown all the same
        return np.nan, np.nan
    return seconds, float(10 * np.log10(max(power / max(count, 1), _SILENCE)))
