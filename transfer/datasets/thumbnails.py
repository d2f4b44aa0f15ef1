"""Small versions of stored images: made at the import, kept in the workspace, bounded.

One that was discarded meanwhile, or that depends on the whole dataset, is made when it
is first looked at.
"""

import hashlib
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from transfer import workspace
from transfer.datasets import away, library
from transfer.datasets.renderings import Rendering
from transfer.errors import StorageError

#: What all of them may take; some 100,000 fit.
MAX_BYTES = 1_000_000_000
#: A JPEG of so few bytes is its own thumbnail: making one takes longer than sending.
_SMALL = 16_384
#: Seconds after which a thumbnail that is looked at counts as new again.
_DAY = 24 * 60 * 60


def of_image(sha256: str, rendering: Rendering | None = None) -> bytes:
    """A small JPEG of a stored image; of a small JPEG itself.

    It is made in a process of its own: strangers brought the image.

    Args:
        sha256: The image.
        rendering: The rendering of its dataset, see `Revision.rendering`.

    Raises:
        NotFoundError: That is no SHA-256 in hexadecimal digits.
        ImageError: There is no such image, or it is damaged.
    """
    if own := itself(sha256):
        return own
    original = library.image_path(sha256)
    mark = hashlib.sha256(repr(rendering).encode()).hexdigest()[:8] if rendering else ""
    kept = _place(f"{sha256}{mark}")
    if original.exists():  # those of a deleted dataset are not shown any more
        with suppress(OSError):
            content = kept.read_bytes()
            if kept.stat().st_mtime < time.time() - _DAY:
                os.utime(kept)
            return content
    content = away.encode_thumbnail(original, rendering=rendering)
    with suppress(StorageError):  # a full disk hides no picture
        workspace.write_atomically(kept, content)
    return content


def take(made: Iterable[tuple[str, Path]]) -> None:
    """Keeps thumbnails that an import made, as far as that is possible.

    Args:
        made: SHA-256 of images, and files of the workspace, which are moved; there may
            be none of an image.
    """
    with suppress(OSError):  # what is lacking is made when it is looked at
        for sha256, path in made:
            if path.exists():
                workspace.make_folder(_place(sha256).parent)
                path.replace(_place(sha256))


def _place(name: str) -> Path:
    return workspace.home() / "thumbnails" / name[:2] / name


def itself(sha256: str, most: int = _SMALL) -> bytes:
    """The bytes of a stored image if it is its own thumbnail; empty if it is not.

    Args:
        sha256: The image.
        most: Bytes that it may have.

    Raises:
        NotFoundError: That is no SHA-256 in hexadecimal digits.
    """
    original = library.image_path(sha256)
    with suppress(OSError):
        return of_small_file(original, most)
    return b""


def of_small_file(path: Path, most: int = _SMALL) -> bytes:
    """The bytes of a file if it is its own thumbnail; empty if it is not."""
    if path.stat().st_size > most:
        return b""
    content = path.read_bytes()
    return content if content.startswith(b"\xff\xd8\xff") else b""


def discard_old() -> None:
    """Removes those that nobody has looked at for longest, until the rest fits."""
    found = []
    for path in workspace.home().glob("thumbnails/*/*"):
        with suppress(OSError):
            found.append((path, path.stat()))
    left = sum(stat.st_size for _, stat in found)
    for path, stat in sorted(found, key=lambda one: one[1].st_mtime):
        if left <= MAX_BYTES:
            return
        path.unlink(missing_ok=True)
        left -= stat.st_size
