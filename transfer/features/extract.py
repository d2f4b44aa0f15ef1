"""Features of a dataset's images: from the cache, or computed and then kept."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer.datasets import images, library
from transfer.errors import StorageError
from transfer.features.cache import Shelf
from transfer.features.engines import BATCH, Engine

#: Features of up to this size are held in memory; larger ones are read from disk batch
#: by batch, so that a worker's memory does not grow with the dataset.
MEMORY_BYTES = 256 << 20

#: Batches that are decoded ahead of the engine.
_AHEAD = 4

Rows = NDArray[np.generic]


class Prefix(NamedTuple):
    """A frozen prefix, ready to run.

    Attributes:
        key: Names everything that its output depends on but the image.
        image_size: `(height, width)` in pixels that images are resized to.
        shape: Shape of one image's features.
        engine: Runs it; `None` where the features are the pixels themselves.
    """

    key: str
    image_size: tuple[int, int]
    shape: tuple[int, ...]
    engine: Engine | None

    @property
    def dtype(self) -> str:
        """NumPy dtype of the features: uint8 for pixels, else float32."""
        return "uint8" if self.engine is None else "float32"


class Features:
    """The features of a list of images.

    Rows that are missing from the cache, or damaged in it, are computed from their
    pictures whenever they are asked for.
    """

    def __init__(self, prefix: Prefix, hashes: Sequence[str]) -> None:
        self._prefix = prefix
        self._hashes = list(hashes)
        self._shelf = Shelf(prefix.key, prefix.shape, prefix.dtype)
        self._memory: Rows | None = None

    def __len__(self) -> int:
        return len(self._hashes)

    @property
    def row_bytes(self) -> int:
        """Size of one image's features in bytes."""
        return self._shelf.row_bytes

    def compute(self, progress: Callable[[int, int], None]) -> None:
        """Computes what the cache lacks, and keeps it.

        Args:
            progress: Called with the number of images done and the number to do.

        Raises:
            StorageError: The disk is full; `rows` works all the same, from pixels.
        """
        missing = [h for h in dict.fromkeys(self._hashes) if h not in self._shelf]
        with self._shelf.writer() as writer:
            for start, rows in _computed(self._prefix, missing):
                writer.add(missing[start : start + len(rows)], rows)
                progress(start + len(rows), len(missing))

    def load(self) -> None:
        """Holds all rows in memory, if they are few enough."""
        if len(self) * self.row_bytes <= MEMORY_BYTES:
            self._memory = self.rows(np.arange(len(self)))

    def rows(self, positions: NDArray[np.int64]) -> Rows:
        """The features at these positions, `(len(positions), *shape)`."""
        if self._memory is not None:
            return self._memory[positions]
        hashes = [self._hashes[position] for position in positions]
        rows, lost = self._shelf.read(hashes)
        for start, computed in _computed(self._prefix, [hashes[i] for i in lost]):
            rows[lost[start : start + len(computed)]] = computed
        return rows


def _computed(prefix: Prefix, hashes: Sequence[str]) -> Iterator[tuple[int, Rows]]:
    """Start and rows of each batch, while the next ones are being decoded."""
    if not hashes:
        return
    starts = iter(range(0, len(hashes), BATCH))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        ahead: list[tuple[int, list[Future[NDArray[np.uint8]]]]] = []

        def fill(batches: int) -> None:
            for start in islice(starts, batches):
                batch = hashes[start : start + BATCH]
                futures = [pool.submit(_pixels, h, prefix.image_size) for h in batch]
                ahead.append((start, futures))

        fill(_AHEAD)
        while ahead:
            start, futures = ahead.pop(0)
            pixels = np.stack([future.result() for future in futures])
            fill(1)
            yield start, pixels if prefix.engine is None else prefix.engine.run(pixels)


def _pixels(sha256: str, image_size: tuple[int, int]) -> NDArray[np.uint8]:
    return images.decode(library.image_path(sha256), image_size)


def prepared(
    prefix: Prefix,
    hashes: Sequence[str],
    progress: Callable[[int, int], None],
    log: Callable[[str], None],
) -> Features:
    """The features of these images, computed and kept where they were not yet.

    A full disk does not end the run: its features are then computed from the pictures
    in every epoch, and the log says so.
    """
    features = Features(prefix, hashes)
    try:
        features.compute(progress)
    except StorageError as error:
        log(f"{error} This run goes on without the cache, from the pictures.")
    features.load()
    return features
