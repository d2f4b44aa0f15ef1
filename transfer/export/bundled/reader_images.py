"""Reads pictures as they were read for training: decoding.py, with parts in pixels/."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from decoding import decode  # type: ignore[import-not-found]

Pixels = np.ndarray[Any, np.dtype[np.float32]]


class Reader:
    """Makes of a file what the model takes.

    Args:
        described: What model.json says.
    """

    def __init__(self, described: dict[str, Any]) -> None:
        self._size = tuple(described["input"]["shape"][1:3])
        how = described["preprocessing"]
        # What is black and white where grey has more than 8 bits, and how a picture of
        # another shape is brought to the model's.
        self._how = how["grey"], how["resize"]["resizing"]

    def parts(self, path: Path) -> Iterator[tuple[tuple[float, float], Pixels]]:
        """One part: float32 `(1, height, width, 3)`, 0 to 255."""
        decoded = decode(path, self._size, *self._how)
        yield (0.0, 0.0), np.asarray(decoded, np.float32)[None]

    def tell(
        self, times: list[tuple[float, float]], rows: Pixels, names: list[str]
    ) -> dict[str, Any]:
        """What is told of the parts beside their mean: of a picture nothing."""
        return {}
