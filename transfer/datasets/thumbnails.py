"""Small versions of stored images: made once, kept in the workspace, bounded."""

import hashlib
import os
import time
from contextlib import suppress

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
    kept = workspace.home() / "thumbnails" / sha256[:2] / f"{sha256}{mark}"
    if original.exists():  # those of a deleted dataset are not shown any more
        with suppress(OSError):
            content = kept.read_bytes()
            if kept.stat().st_mtime < time.time() - _DAY:
                os.utime(kept)
            return content
    content = away.encode_thumbnail(original, rendering)
    with suppress(StorageError):  # a full disk hides no picture
        workspace.write_atomically(kept, content)
    return content


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
        if original.stat().st_size <= most:
            content = original.read_bytes()
            if content.startswith(b"\xff\xd8\xff"):
                return content
    return b""


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
