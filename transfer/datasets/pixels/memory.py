"""How much memory decoding takes, and that all of it at once stays bounded."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from PIL import Image

from transfer.errors import ImageError

#: What decoding may take: one picture, and all that are decoded at the same time.
MAX_BYTES, ALL_BYTES = 920_000_000, 1_000_000_000


class Room:
    """Bytes that threads take for a while; who wants more than is left waits."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._turn, self._given_back = threading.Lock(), threading.Condition()

    @contextmanager
    def take(self, needed: int) -> Iterator[None]:
        """Holds so many bytes for the time of the block."""
        # One waits at a time, so that small pictures do not pass by a large one.
        with self._turn, self._given_back:
            self._given_back.wait_for(lambda: self._left >= needed)
            self._left -= needed
        try:
            yield
        finally:
            with self._given_back:
                self._left += needed
                self._given_back.notify()


#: Of this process.
room = Room(ALL_BYTES)


def needed_bytes(image: Image.Image, pixels: int, small: int = 0) -> int:
    """What decoding takes at its worst; measured for each format.

    Args:
        image: The picture, not yet decoded; a JPEG at the scale that it will have.
        pixels: Number of pixels in the file.
        small: Number of pixels of what is made of it.

    Raises:
        ImageError: It is more than `MAX_BYTES`.
    """
    needed = 4 * small + int(_decoded_bytes(image, pixels))
    if needed > MAX_BYTES:
        raise ImageError(
            f"{pixels / 1e6:.0f} million pixels of {image.format} take "
            f"{needed / 1e9:.1f} GB of memory; at most {MAX_BYTES / 1e9:.1f} GB are "
            "given to a picture.",
            "Make the picture smaller or save it as JPEG, which takes less.",
        )
    return needed


def _decoded_bytes(image: Image.Image, pixels: int) -> float:
    if image.format in ("WEBP", "AVIF"):
        return 16 * pixels
    if image.format == "PPM" and image.tile[0].codec_name != "raw":  # type: ignore[attr-defined]
        return 12 * pixels  # Pillow reads these in Python
    if image.format == "HEIF":
        return _heif_bytes(image, pixels)
    # Pillow keeps RGB in four bytes too.
    each = {"1": 1, "L": 1, "P": 1}.get(image.mode, 4)
    if image.mode.startswith("I;16"):
        each = 2
    decoded = each * image.width * image.height
    if image.format in ("JPEG", "MPO"):
        return decoded + _coefficient_bytes(image, pixels)
    if image.format == "TIFF":
        return decoded + _strip_bytes(image)
    return decoded


def _heif_bytes(image: Image.Image, pixels: int) -> float:
    """Brightness, colours and alpha as they are kept, and what is made of them."""
    bands = len(image.getbands())
    colours = {420: 1.5, 422: 2.0}.get(image.info.get("chroma", 0), 3.0)
    of_pixel = colours + (bands in (2, 4)) + bands
    return pixels * of_pixel * (2 if image.info.get("bit_depth", 8) > 8 else 1)


def _coefficient_bytes(image: Any, pixels: int) -> float:
    """All that a JPEG of several scans holds; one of a single scan goes row by row."""
    layers: list[tuple[int, int, int, int]] = image.layer
    if not image.info.get("progressive") and _first_scan(image.fp) == len(layers):
        return 0.0
    densest = max(one[1] for one in layers) * max(one[2] for one in layers)
    return 2.0 * pixels * sum(one[1] * one[2] for one in layers) / densest


def _first_scan(file: BinaryIO) -> int:
    """Number of colours in the first scan of a JPEG; 0 where it is not found."""
    file.seek(2)
    while (marker := file.read(4))[:1] == b"\xff":
        if marker[1:2] == b"\xda":
            return int.from_bytes(file.read(1))
        file.seek(max(0, int.from_bytes(marker[2:]) - 2), io.SEEK_CUR)
    return 0


def _strip_bytes(image: Any) -> float:
    """The largest strip or tile of a TIFF that is unpacked on its way, and a turn."""
    tags, (width, height) = image.tag_v2, image.size
    turned = 0.0 if tags.get(274, 1) == 1 else 4.0 * width * height
    if not image.tile or image.tile[0].codec_name != "libtiff":
        return turned
    rows = tags.get(323) or min(tags.get(278, height), height)
    strip: float = sum(tags.get(258, (1,))) / 8 * rows * tags.get(322, width)
    return turned + strip


def free_pixels(image: Image.Image) -> None:
    """Frees the pixels before others take their room; its file stays open."""
    image.im = Image.new("1", (1, 1)).im
