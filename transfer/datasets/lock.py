"""One writer at a time changes what datasets and images there are."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from transfer import workspace
from transfer.errors import StorageError

#: Seconds to wait for another import or deletion; each holds the lock for about one.
LOCK_SECONDS = 120


@contextmanager
def one_writer() -> Iterator[None]:
    """Holds the library for one writer: the image store has no other guard.

    Raises:
        StorageError: Another writer has held it for too long, or it cannot be written.
    """
    path = workspace.folder("datasets") / ".lock"
    lock = FileLock(path, timeout=LOCK_SECONDS)
    with workspace.writing(path):
        try:
            lock.acquire()
        except Timeout as error:
            raise StorageError(
                f"Another import or deletion has held {path} for {LOCK_SECONDS} s.",
                "Wait for it to end, then try again.",
            ) from error
    try:
        yield
    finally:
        lock.release()
