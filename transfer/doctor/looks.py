"""A look at every image: what its file says, and what its pixels measure.

Looks are kept like features are, by the image's hash, so an image is looked at once.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags
from PIL import Image as Pillow

from transfer.datasets import decoding, library
from transfer.datasets.decoding import Grey
from transfer.datasets.pixels import opening
from transfer.doctor import measures
from transfer.doctor.alignment import SIDE
from transfer.errors import ImageError
from transfer.features.cache import Shelf

#: Raise this when a look says something else than before.
_VERSION = 1
#: Longest side in pixels at which a picture is measured.
_MEASURED = 256
#: Looks that are read at a time.
_READ = 4096
#: Images looked at between two words of how far it is.
_PIECE = 256

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

Progress = Callable[[int, int], None]


class Looks(NamedTuple):
    """Looks at images.

    Attributes:
        rows: Of `LOOK`, one for each image; zeros where it cannot be read.
        unreadable: Why not, by position.
    """

    rows: NDArray[np.void]
    unreadable: dict[int, str]


def look(
    hashes: Sequence[str],
    grey: Grey | None,
    folder: Path,
    progress: Progress = lambda done, of: None,
) -> Looks:
    """A look at each of these images, from the shelf or anew.

    Args:
        hashes: SHA-256 of each image.
        grey: The dataset's range of deep grey, see `Revision.grey`.
        folder: Where they lie, in a file, as long as they are used: those of 100,000
            images would take 430 MB of memory, and so take what is free.
        progress: Called with the number of images done and of all.

    Raises:
        StorageError: The disk is full.
    """
    scale = "-{:.9g}-{:.9g}".format(*grey) if grey else ""
    shelf = Shelf(f"looks-{_VERSION}{scale}", (LOOK.itemsize,), "uint8")
    rows = np.memmap(folder / "looks", LOOK, "w+", shape=len(hashes))
    lost: list[int] = []
    for start in range(0, len(hashes), _READ):
        kept, gone = shelf.read(hashes[start : start + _READ])
        rows[start : start + len(kept)] = kept.reshape(-1).view(LOOK)
        lost += [start + at for at in gone]
    unreadable: dict[int, str] = {}
    progress(len(hashes) - len(lost), len(hashes))
    with shelf.writer() as writer:
        for start, found in _ahead([hashes[at] for at in lost], grey):
            good = []
            for at, one in zip(lost[start : start + _PIECE], found, strict=True):
                if isinstance(one, str):
                    unreadable[at] = one
                    rows[at] = np.zeros((), LOOK)
                else:
                    rows[at] = one
                    good.append(at)
            if good:
                content = rows[good].view(np.uint8).reshape(len(good), -1)
                writer.add([hashes[at] for at in good], content)
            progress(len(hashes) - len(lost) + start + len(found), len(hashes))
    return Looks(rows, unreadable)


@contextmanager
def looking(
    hashes: Sequence[str],
    grey: Grey | None,
    folder: Path,
    progress: Progress,
) -> Iterator[Callable[[], Looks]]:
    """Looks at images while the block does something else; gives what waits for them.

    Args:
        hashes: As in `look`.
        grey: As in `look`.
        folder: As in `look`.
        progress: As in `look`; it is called in another thread.
    """
    is_left = threading.Event()

    def tell(done: int, of: int) -> None:
        if is_left.is_set():
            raise CancelledError
        progress(done, of)

    with ThreadPoolExecutor(1) as beside:
        found = beside.submit(look, hashes, grey, folder, tell)
        try:
            yield found.result
        finally:
            # Who stops the doctor does not wait for the last of 100,000 pictures.
            is_left.set()


def _ahead(hashes: Sequence[str], grey: Grey | None) -> Iterator[tuple[int, list[Any]]]:
    """Start and looks of each piece, while the next one is looked at."""
    starts = iter(range(0, len(hashes), _PIECE))
    waiting: deque[tuple[int, list[Future[Any]]]] = deque()
    with ThreadPoolExecutor(os.cpu_count()) as pool:

        def fill(pieces: int) -> None:
            for start in islice(starts, pieces):
                piece = hashes[start : start + _PIECE]
                waiting.append((start, [pool.submit(_look, h, grey) for h in piece]))

        fill(2)
        while waiting:
            start, futures = waiting.popleft()
            found = [future.result() for future in futures]
            fill(1)
            yield start, found


def _look(sha256: str, grey: Grey | None) -> NDArray[np.void] | str:
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
