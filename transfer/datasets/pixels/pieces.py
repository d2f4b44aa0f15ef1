"""Decoded pictures in pieces, so that no conversion copies one of them whole."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pi_heif
from PIL import Image

#: Pixels of a side of the pieces whose colours are converted one by one. A whole
#: picture with transparency would take five times its size.
_PIECE = 512

Box = tuple[int, int, int, int]


class Pixels(NamedTuple):
    """A decoded picture.

    Attributes:
        size: Width and height.
        cut: Gives the piece inside a box `(left, upper, right, lower)`.
    """

    size: tuple[int, int]
    cut: Callable[[Box], Image.Image]

    def pieces(
        self, reduced: tuple[int, int] = (1, 1)
    ) -> Iterator[tuple[int, int, Image.Image]]:
        """Left and upper edge of each piece, and the piece.

        Args:
            reduced: Numbers of columns and rows that will become one.
        """
        (width, height), (columns, rows) = self.size, reduced
        across, down = (each * max(1, _PIECE // each) for each in reduced)
        for upper in range(0, height, down):
            lower = min(upper + down, height)
            for left in range(0, width, across):
                right = min(left + across, width)
                piece = self.cut((left, upper, right, lower))
                yield left // columns, upper // rows, piece


def load(image: Image.Image) -> Pixels:
    """Decodes an opened picture."""
    if image.format == "HEIF":
        return _load_heif(image)
    frame = image.tile[0].extents if image.format == "GIF" else None  # type: ignore[attr-defined]
    image.load()
    if frame and frame != (0, 0, *image.size) and "transparency" not in image.info:
        return Pixels(image.size, lambda box: _piece_of_frame(image, frame, box))
    return Pixels(image.size, image.crop)


def _load_heif(image: Any) -> Pixels:
    """The picture in libheif's own memory; Pillow would copy it whole."""
    image.fp.seek(0)
    heif = pi_heif.open_heif(image.fp, convert_hdr_to_8bit=True)
    (width, height), bands = heif.size, len(heif.mode)
    lines = np.frombuffer(heif.data, np.uint8)[: height * heif.stride]
    pixels = lines.reshape(height, heif.stride)[:, : width * bands]

    def cut(box: Box) -> Image.Image:
        left, upper, right, lower = box
        piece = pixels[upper:lower, left * bands : right * bands].tobytes()
        # Naming `heif` here keeps it, and with it the memory, until the end.
        return Image.frombytes(heif.mode, (right - left, lower - upper), piece)

    return Pixels(heif.size, cut)


def _piece_of_frame(image: Image.Image, frame: Box, box: Box) -> Image.Image:
    """A piece of the first frame of a GIF, clear where the frame does not reach."""
    piece = image.crop(box).convert("RGBA")
    left, upper = max(frame[0], box[0]), max(frame[1], box[1])
    right, lower = min(frame[2], box[2]), min(frame[3], box[3])
    clear = Image.new("RGBA", piece.size)
    if left < right and upper < lower:
        inside = (left - box[0], upper - box[1], right - box[0], lower - box[1])
        clear.paste(piece.crop(inside), inside)
    return clear
