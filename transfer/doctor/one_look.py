"""A look at one image: what its file says, and what its pixels measure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags
from PIL import Image as Pillow

from transfer.datasets import decoding, library
from transfer.datasets.decoding import Grey
from transfer.datasets.pixels import opening
from transfer.doctor import measures
from transfer.doctor.measures import SIDE
from transfer.errors import ImageError

#: Longest side in pixels at which a picture is measured.
_MEASURED = 256

#: A look. `quality` is the sum of a JPEG's luminance table, 0 for other formats;
#: `taken` a day since 1970 by the picture's own date, 0 where it says none.
LOOK = np.dtype(
    [
        *(("width", "<i4"), ("height", "<i4"), ("bytes", "<i8")),
        *(("format", "S8"), ("mode", "S8"), ("quality", "<i4")),
        *(("frames", "<i4"), ("taken", "<i4")),
        *(("low", "<f4"), ("high", "<f4"), ("mean", "<f4"), ("spread", "<f4")),
        *(("blur", "<f4"), ("colour", "<f4", (3,)), ("border", "<f4", (3,))),
        *(("border_spread", "<f4"), ("grey", "u1", (SIDE, SIDE))),
    ]
)


def look_at_some(
    rows: NDArray[np.void],
    some: Sequence[int],
    hashes: Sequence[str],
    grey: Grey | None,
) -> dict[int, str]:
    """Writes the looks at some images; why not, by position, where one is unreadable.

    Args:
        rows: Of `LOOK`, of all images.
        some: Positions.
        hashes: SHA-256 of all images.
        grey: As in `looks.look`.
    """
    unreadable = {}
    for at in some:
        found = look_at(hashes[at], grey)
        if isinstance(found, str):
            unreadable[at] = found
            rows[at] = np.zeros((), LOOK)
        else:
            rows[at] = found
    return unreadable


def look_at(sha256: str, grey: Grey | None) -> NDArray[np.void] | str:
    """One look; why it cannot be read instead of what cannot be."""
    path = library.image_path(sha256)
    row = np.zeros((), LOOK)
    try:
        with opening.open_picture(path) as image:
            row["format"], row["mode"] = image.format or "", image.mode
            row["frames"] = getattr(image, "n_frames", 1)
            row["quality"] = sum(getattr(image, "quantization", {}).get(0, ()))
            tags = _tags(image)
            width, height = image.size
            # A TIFF says its size after it was turned.
            if tags.get(ExifTags.Base.Orientation, 1) >= 5 and image.format != "TIFF":
                width, height = height, width
            size = min(height, _MEASURED), min(width, _MEASURED)
            is_one = image.format == "JPEG"  # others were turned to count their pages
            pixels = decoding.decode_opened(image, size, grey) if is_one else None
        row["width"], row["height"], row["taken"] = width, height, _day(tags)
        row["bytes"] = path.stat().st_size
        if pixels is None:
            pixels = decoding.decode(path, size, grey)
    except ImageError as error:
        return error.message
    for name, value in measures.measure(pixels)._asdict().items():
        row[name] = value
    return row


def _tags(image: Pillow.Image) -> dict[int, Any]:
    """What the camera noted; nothing where that is damaged."""
    try:
        exif = image.getexif()
        return {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    except Exception:  # it says nothing about the picture, which may be whole
        return {}


def _day(tags: dict[int, Any]) -> int:
    """Days from 1970 to when a picture was taken; 0 if it does not say."""
    for tag in (ExifTags.Base.DateTimeOriginal, ExifTags.Base.DateTime):
        try:
            taken = datetime.strptime(str(tags[tag])[:10], "%Y:%m:%d")  # noqa: DTZ007
        except (KeyError, ValueError):
            continue
        return max(0, taken.toordinal() - datetime(1970, 1, 1).toordinal())  # noqa: DTZ001
    return 0
