"""How long and how loud each recording of a dataset is; heard once, and kept."""

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer import workspace
from transfer.datasets import library
from transfer.datasets.revision import Image
from transfer.datasets.sounds import recordings
from transfer.errors import TransferError

_TYPES = np.dtype([("sha256", "S64"), ("seconds", "f4"), ("loudness", "f4")])
#: Power of silence, so that it has a loudness: -100 dB of full scale.
_SILENCE = 1e-10


def of(dataset: str, images: Sequence[Image]) -> NDArray[Any]:
    """Seconds of each recording and its loudness, in dB of full scale, mean of all.

    Both are nan of what cannot be read.

    Raises:
        StorageError: The workspace cannot be written.
    """
    wanted = np.array([one.sha256.encode() for one in images], "S64")
    kept = _read_kept(dataset)
    if len(unknown := np.setdiff1d(wanted, kept["sha256"])):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = [*pool.map(_hear, (one.decode() for one in unknown))]
        rows = [(one, *said) for one, said in zip(unknown, found, strict=True)]
        kept = np.sort(np.concatenate([kept, np.array(rows, _TYPES)]), order="sha256")
        buffer = io.BytesIO()
        np.save(buffer, kept)
        workspace.write_atomically(_path(dataset), buffer.getvalue())
    measured: NDArray[Any] = kept[np.searchsorted(kept["sha256"], wanted)]
    return measured


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


def _read_kept(dataset: str) -> NDArray[Any]:
    try:
        kept: NDArray[Any] = np.load(_path(dataset), allow_pickle=False)
        return kept if kept.dtype == _TYPES else np.empty(0, _TYPES)
    except (OSError, ValueError):  # not there yet, or damaged: heard anew
        return np.empty(0, _TYPES)


def _path(dataset: str) -> Path:
    return library.folder_of(dataset) / "measures.npy"
