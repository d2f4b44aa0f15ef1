"""Features of a list of images, row by row: held in memory where they are small."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from transfer.features.extract import Extractor, Rows
from transfer.features.views import View

#: Features of up to this size are held in memory; larger ones are read from disk batch
#: by batch, so that a worker's memory does not grow with the dataset.
MEMORY_BYTES = 128 << 20


class Features:
    """One layer's output for a list of images, and for random views of them.

    Args:
        extractor: Computes and keeps them.
        layer: The layer.
        hashes: SHA-256 of each image.
        augmentations: Random changes that make the views, out of
            `config.AUGMENTATIONS`.
        views: Number of views that are kept of each image, the image itself among
            them; 0 makes new ones in every epoch.
    """

    def __init__(
        self,
        extractor: Extractor,
        layer: str,
        hashes: Sequence[str],
        augmentations: tuple[str, ...] = (),
        views: int = 1,
    ) -> None:
        self._extractor, self.layer = extractor, layer
        self._hashes, self._augmentations = list(hashes), augmentations
        self._is_pixels = extractor.tensors[layer].is_pixels
        # Pixels are changed as they are read, so there only the images are kept.
        self._kept = 1 if self._is_pixels or not augmentations else views
        self._memory: Rows | None = None

    def __len__(self) -> int:
        return len(self._hashes)

    def __getitem__(self, positions: NDArray[np.int64]) -> Rows:
        """Those of the first epoch, as an array gives them."""
        return self.rows(positions)

    @property
    def row_bytes(self) -> int:
        """Size of one image's features in bytes."""
        return self._extractor.shelves[self.layer].row_bytes

    @property
    def kept_views(self) -> list[View]:
        """All views whose features are kept, those of view 0 first."""
        # A picture that lies in the dataset twice is computed once.
        unique = list(dict.fromkeys(self._hashes))
        return [self._view(h, n) for n in range(self._kept) for h in unique]

    def load(self) -> None:
        """Holds all rows in memory, if they are few enough."""
        if self._kept and self._kept * len(self) * self.row_bytes <= MEMORY_BYTES:
            views = [self._view(h, n) for n in range(self._kept) for h in self._hashes]
            self._memory = self._extractor.read(self.layer, views)

    def rows(self, positions: NDArray[np.int64], epoch: int = 1) -> Rows:
        """The features at these positions, `(len(positions), *shape)`.

        Args:
            positions: Of the images.
            epoch: Counted from 1; another epoch gives another view of each image, and
                the first gives the images themselves where views are made anew.
        """
        fresh = np.full(len(positions), epoch - 1)
        # Positions count too, so that an epoch does not show view 0 of every image and
        # the next one view 1 of all.
        numbers = fresh if not self._kept else (positions + epoch) % self._kept
        # In memory all images of view 0 come first, then those of view 1.
        if self._memory is not None:
            rows = self._memory[numbers * len(self) + positions]
        else:
            hashes = [self._hashes[position] for position in positions]
            views = map(self._view, hashes, map(int, numbers))
            rows = self._extractor.read(self.layer, list(views))
        if self._is_pixels and self._augmentations:
            changed = map(self._view, (self._hashes[p] for p in positions), fresh)
            rows = np.stack([v.of(row) for v, row in zip(changed, rows, strict=True)])
        return rows

    def _view(self, sha256: str, number: int) -> View:
        return View(sha256, int(number), self._augmentations)
