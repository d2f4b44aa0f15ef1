"""A look at one image: what its file says, and what its pixels measure."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags
from PIL import Image as Pillow

from transfer.datasets import decoding, library, scratch
from transfer.datasets.decoding import Grey
from transfer.datasets.pixels import opening
from transfer.doctor import measures
from transfer.doctor.measures import SIDE
from transfer.errors import ImageError

#: Longest side in pixels at which a picture is measured.
_MEASURED = 256

#: A look as it is kept. `quality` is the sum of a JPEG's luminance table, 0 for other
#: formats; `taken` a day since 1970 by the picture's own date, 0 where it says none.
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


#: What a look says beside its small grey picture.
SAID = np.dtype([(name, LOOK[name]) for name in LOOK.names or () if name != "grey"])
_SAID = [*(SAID.names or ())]

#: Images whose small pictures are moved at a time.
_PIECE = 4096


class Looks(NamedTuple):
    """Looks at images.

    Attributes:
        rows: Of `SAID`, one for each image; zeros where it cannot be read.
        greys: The small pictures, `(images, SIDE, SIDE)`. Apart, for those of a million
            images take 4 GB: they lie in a file, and whoever read many forgets them.
        unreadable: Why not, by position.
    """

    rows: NDArray[np.void]
    greys: NDArray[np.uint8]
    unreadable: dict[int, str]

    @classmethod
    def in_folder(
        cls, folder: Path, images: int, mode: Literal["w+", "r+"] = "w+"
    ) -> "Looks":
        """Zeros in new files of the folder; or those that are there, to write to."""
        shape = images, SIDE, SIDE
        if mode == "w+":  # with their room on the disk
            rows = scratch.array(folder, "looks", SAID, (images,))
            return cls(rows, scratch.array(folder, "greys", np.uint8, shape), {})
        rows = np.memmap(folder / "looks", SAID, mode, shape=images)
        return cls(rows, np.memmap(folder / "greys", np.uint8, mode, shape=shape), {})

    def take(self, at: Sequence[int]) -> NDArray[np.void]:
        """Those at some positions, of `LOOK`."""
        found = np.empty(len(at), LOOK)
        found[_SAID], found["grey"] = self.rows[at], self.greys[at]
        scratch.forget(self.greys)
        return found

    def put(self, at: Sequence[int], looks: NDArray[np.void]) -> None:
        """Writes looks of `LOOK` to these positions."""
        self.rows[at], self.greys[at] = looks[_SAID], looks["grey"]
        scratch.forget(self.greys)

    def keep_only(self, at: NDArray[np.int64]) -> "Looks":
        """Those at these positions, ascending; small pictures move up in their file."""
        for start in range(0, len(at), _PIECE):
            piece = at[start : start + _PIECE]
            self.greys[start : start + len(piece)] = self.greys[piece]
            scratch.forget(self.greys)
        return Looks(self.rows[at], self.greys[: len(at)], {})


def look_at_some(
    hashes: Sequence[str], grey: Grey | None
) -> tuple[NDArray[np.void], dict[int, str]]:
    """Looks of `LOOK` at some images; why not, by position, where one is unreadable.

    Args:
        hashes: SHA-256 of each.
        grey: As in `looks.look`.
    """
    rows, unreadable = np.zeros(len(hashes), LOOK), {}
    for at, sha256 in enumerate(hashes):
        found = look_at(sha256, grey)
        if isinstance(found, str):
            unreadable[at] = found
        else:
            rows[at] = found
    return rows, unreadable


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
