"""Where datasets, caches, runs and uploads live: one folder, named by TRANSFER_HOME."""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from transfer.errors import StorageError

#: A disk with less room counts as full.
_SMALL_BYTES = 1 << 20


def home() -> Path:
    """The workspace folder: `TRANSFER_HOME`, else `~/.transfer-studio`."""
    named = os.environ.get("TRANSFER_HOME")
    return Path(named).expanduser() if named else Path.home() / ".transfer-studio"


def folder(*parts: str) -> Path:
    """A folder below the workspace, made for its owner only if it is missing.

    Raises:
        StorageError: The folder cannot be made.
    """
    path = home().joinpath(*parts)
    with writing(path):
        make_folder(path)
    return path


def make_folder(path: Path) -> None:
    """Makes a folder, and what is missing above it, for its owner only."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def close_to_others() -> None:
    """Leaves a workspace to its owner that was made before its folders were.

    Nobody gets past the outermost folder, so that what lies inside follows. One that
    is more than a workspace stays as it is: a home folder, somebody else's, /tmp.
    """
    with suppress(OSError, AttributeError):  # missing, or on Windows
        found = home().stat()
        is_shared = found.st_uid != os.getuid() or found.st_mode & stat.S_ISVTX
        if not is_shared and home() != Path.home():
            home().chmod(stat.S_IMODE(found.st_mode) & 0o700)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns an `OSError` of the block into a `StorageError` that names `path`."""
    try:
        yield
    except OSError as error:
        if says_full(error):
            raise full(path) from error
        raise StorageError(
            f"{path} could not be written: {error.strerror or error}.",
            "Check that the folder exists and that you may write there.",
        ) from error


def full(path: Path) -> StorageError:
    """What to say where the disk has no room for `path`."""
    return StorageError(
        f"The disk is full: {path} could not be written.",
        "Free some space or set TRANSFER_HOME to a larger disk, then try again.",
    )


def allocate(file: BinaryIO, size: int) -> None:
    """Has the disk give a file its room now, where the system can.

    A file that is mapped and finds no room later ends its process.

    Args:
        file: Open for writing.
        size: Bytes that it will have.

    Raises:
        StorageError: The disk is full.
    """
    if size and hasattr(os, "posix_fallocate"):
        with writing(home()):
            os.posix_fallocate(file.fileno(), 0, size)


def says_full(error: BaseException) -> bool:
    """Whether a disk without room is what the error is about; any library's error."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return os.strerror(errno.ENOSPC).lower() in str(error).lower()


def is_full() -> bool:
    """Whether the disk of the workspace has no room for even a small file."""
    return shutil.disk_usage(folder()).free < _SMALL_BYTES


def bytes_of(*paths: Path) -> int:
    """Bytes of these files, and of all that these folders hold; of what is gone 0."""
    total = 0
    for path in paths:
        inside = (Path(at, name) for at, _, names in os.walk(path) for name in names)
        for one in (path, *inside):
            with suppress(OSError):  # it was removed since it was listed
                status = one.lstat()
                total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total


def amount(size: float) -> str:
    """A number of bytes in short: `12 MB`, `1.2 GB`."""
    if size < 1e6:
        return "under 1 MB"
    return f"{size / 1e6:.0f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file so that a reader sees the old content or the new, never half.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
    """
    with new_file(path) as file:
        file.write(content)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its place once the block ends well, and leaves nothing else.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
    """
    with writing(path):
        make_folder(path.parent)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
