"""Rows of what is known of each image, found once and kept in a file of the dataset."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer import shards, workspace
from transfer.datasets import library

#: What one image's row holds, in the order of the columns.
Row = tuple[float, ...]


class KeptRows(NamedTuple):
    """One kind of rows.

    Attributes:
        file: The name of the file in the dataset's folder.
        columns: Their names and types.
    """

    file: str
    columns: tuple[tuple[str, str], ...]

    def of(
        self, dataset: str, hashes: Sequence[str], find: Callable[[str], Row]
    ) -> NDArray[Any]:
        """The row of each image, as a structured array.

        Args:
            dataset: Name of the dataset.
            hashes: SHA-256 of the images.
            find: Finds the row of one that is not kept; called in threads.

        Raises:
            StorageError: The workspace cannot be written.
        """
        keys = np.fromiter(map(_key, hashes), np.uint64, len(hashes))
        kept = self._read(dataset)
        if not np.isin(keys, kept["key"]).all():
            known = {*kept["key"].tolist()}
            unknown = [*dict.fromkeys(x for x in hashes if _key(x) not in known)]
            # Here alone: it is asked for in the server, which joins no cluster.
            found = zip(unknown, shards.each(find, unknown, task=0), strict=True)
            kept = self._keep(dataset, found, kept)
        rows: NDArray[Any] = kept[np.searchsorted(kept["key"], keys)]
        return rows

    def keep(self, dataset: str, known: Mapping[str, Row]) -> None:
        """Keeps these rows, by SHA-256, beside the others.

        Raises:
            StorageError: The workspace cannot be written.
        """
        self._keep(dataset, known.items(), np.empty(0, self._types()))

    def _keep(
        self, dataset: str, found: Iterable[tuple[str, Row]], kept: NDArray[Any]
    ) -> NDArray[Any]:
        new = np.array([(_key(one), *row) for one, row in found], self._types())
        # Read once more: others keep theirs meanwhile.
        every = np.concatenate([new, kept, self._read(dataset)])
        every = every[np.unique(every["key"], return_index=True)[1]]
        buffer = io.BytesIO()
        np.save(buffer, every)
        workspace.write_atomically(self._path(dataset), buffer.getvalue())
        return every

    def _read(self, dataset: str) -> NDArray[Any]:
        types = self._types()
        try:
            kept: NDArray[Any] = np.load(self._path(dataset), allow_pickle=False)
            return kept if kept.dtype == types else np.empty(0, types)
        except (OSError, ValueError):  # not there yet, or damaged: found anew
            return np.empty(0, types)

    def _types(self) -> np.dtype[Any]:
        return np.dtype([("key", "u8"), *self.columns])

    def _path(self, dataset: str) -> Path:
        return library.folder_of(dataset) / self.file


def _key(sha256: str) -> int:
    # Half of its digits are enough: of a million images, two are the same with a
    # chance of one in 30 million.
    return int(sha256[:16], 16)
