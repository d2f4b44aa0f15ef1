"""Uploads: what came of a browser's files, checked and laid down on disk.

They come in batches of frames, see `frames`. Every batch may be sent again, and what
lies on disk is the truth about what arrived.
"""

import errno
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from transfer import workspace
from transfer.datasets import kinds
from transfer.datasets.ingest.frames import Piece
from transfer.errors import StorageError, UploadError

#: Seconds after which an upload to which nothing comes counts as given up.
MAX_AGE = 24 * 60 * 60
#: What the system says of a path that cannot lie beside the others.
_NO_PLACE = errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST
#: Bytes that stay free on the disk, so that an upload never stops a training.
SPARE_DISK = 256 << 20


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many files lie complete on disk, and their bytes."""

    files: int
    bytes: int


def start(owner: str = "") -> str:
    """A new, empty upload's id: 32 hexadecimal digits.

    Args:
        owner: Whose it is; empty where nobody signs in.
    """
    # Not to be guessed: whoever knows it may add files to the upload.
    upload = secrets.token_hex(16)
    folder = workspace.folder("uploads", upload, "files").parent
    if owner:
        workspace.write_atomically(folder / "owner", owner.encode())
    return upload


def bytes_of(owner: str) -> int:
    """Bytes of all that somebody has uploaded and that lies there still.

    Args:
        owner: Their id; empty for what everybody has.
    """
    if not owner:
        return workspace.bytes_of(workspace.home() / "uploads")
    found = 0
    for noted in (workspace.home() / "uploads").glob("*/owner"):
        with suppress(OSError):  # it may be let go meanwhile
            if noted.read_text("utf-8") == owner:
                found += workspace.bytes_of(noted.parent)
    return found


def store(upload: str, pieces: Iterable[Piece]) -> list[str]:
    """Paths of the files that these pieces completed.

    Raises:
        UploadError: A path is not safe, or an earlier piece of the file is missing.
        StorageError: The disk is full or cannot be written.
    """
    return [piece.path for piece in pieces if _store_piece(_folder(upload), piece)]


def count(upload: str) -> Count:
    """What lies complete on disk for this upload."""
    files = [path for path in (_folder(upload) / "files").rglob("*") if path.is_file()]
    return Count(files=len(files), bytes=workspace.bytes_of(*files))


def source(upload: str) -> Path:
    """What to import: the one zip that was sent, else the folder of all files."""
    files = _folder(upload) / "files"
    entries = list(files.iterdir()) if files.is_dir() else []
    if len(entries) == 1 and kinds.is_zip(entries[0].name):
        return entries[0]
    return files


def discard(upload: str) -> None:
    """Removes an upload's files; one that is gone already is fine."""
    shutil.rmtree(_folder(upload), ignore_errors=True)


def discard_old(max_age: float = MAX_AGE) -> None:
    """Removes the uploads to which nothing came for `max_age` seconds."""
    for folder in workspace.folder("uploads").iterdir():
        with suppress(FileNotFoundError):  # discarded by somebody else just now
            newest = max(path.stat().st_mtime for path in (folder, *folder.glob("*")))
            if newest < time.time() - max_age:
                shutil.rmtree(folder, ignore_errors=True)


def safe_path(path: str) -> PurePosixPath:
    """The path below an upload's folder that a browser's path stands for.

    Names keep their letters in any script. Where a character or a length had to
    change, part of the original's hash keeps two names apart; `true_names` tells what
    was changed.

    Raises:
        UploadError: The path is absolute, climbs with `..`, is empty or too deep.
    """
    parts = path.split("/")
    if not all(part not in ("", ".", "..") for part in parts) or len(parts) > 20:
        raise UploadError(f"{path[:200]!r} is not a path inside the upload.")
    return PurePosixPath(*(_safe_name(part) for part in parts))


def true_names(folder: Path) -> dict[str, str]:
    """What the browser called the files and folders whose names had to change.

    Args:
        folder: That of all files of an upload; nothing is changed in any other.

    Returns:
        The browser's name by the name on disk.
    """
    kept = folder.parent / "names"
    if folder.name != "files" or folder.parent.parent != workspace.home() / "uploads":
        return {}
    return {path.name: path.read_text("utf-8") for path in kept.glob("*")}


def _keep_true_names(folder: Path, path: str, safe: PurePosixPath) -> None:
    for true, name in zip(path.split("/"), safe.parts, strict=True):
        kept = folder / "names" / name
        if true != name and not kept.exists():
            workspace.write_atomically(kept, true.encode())


def _safe_name(name: str) -> str:
    # What Windows takes in no name; and 200 bytes, as file systems take 255.
    safe = re.sub(r'[\x00-\x1f\x7f<>:"|?*\\]', "_", name)
    if safe == name and len(name.encode(errors="replace")) <= 200:
        return name
    mark = hashlib.sha256(name.encode(errors="replace")).hexdigest()[:8]
    suffix = PurePosixPath(safe).suffix[:10]
    stem = safe.removesuffix(suffix).encode(errors="replace")[:150]
    return f"{stem.decode(errors='ignore')}~{mark}{suffix}"


def _folder(upload: str) -> Path:
    if not re.fullmatch(r"[0-9a-f]{32}", upload):
        raise UploadError(f"{upload[:50]!r} is not an upload.")
    return workspace.home() / "uploads" / upload


def _store_piece(folder: Path, piece: Piece) -> bool:
    """Whether the file is complete with this piece, which may have come before."""
    path = safe_path(piece.path)
    _keep_true_names(folder, piece.path, path)
    final, partial = folder / "files" / path, folder / "partial" / path
    with workspace.writing(final), _fitting(piece.path):
        for parent in (final.parent, partial.parent):
            workspace.make_folder(parent)
        _check_disk(folder, len(piece.content))
        os.utime(folder)  # a large upload need not touch it otherwise for a day
        # The answer to it was lost on its way, so the browser sends it once more.
        if piece.offset and not partial.exists() and final.exists():
            return final.stat().st_size == piece.total
        _write_at(partial, piece)
        if partial.stat().st_size < piece.total:
            return False
        # Under its own name only once it is whole: half a picture is never imported.
        os.replace(partial, final)
        return True


@contextmanager
def _fitting(path: str) -> Iterator[None]:
    """Refuses a path that is too long, or one that needs a file where a folder is."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_PLACE:
            raise UploadError(
                f"{path[:200]!r} has no place beside the other files of the upload."
            ) from error
        raise


def _check_disk(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < SPARE_DISK + size:
        raise StorageError(
            f"The disk is full: {free >> 20} MB are free, and {SPARE_DISK >> 20} MB "
            "of them are kept for trainings.",
            "Free some space on the server, then upload again.",
        )


def _write_at(partial: Path, piece: Piece) -> None:
    with open(partial, "r+b" if piece.offset and partial.exists() else "wb") as file:
        if piece.offset > os.fstat(file.fileno()).st_size:
            raise UploadError(
                f"An earlier piece of {piece.path[:200]!r} is missing.",
                "Upload the file again.",
            )
        file.seek(piece.offset)
        # A piece that broke off may have left more than this one will write.
        file.truncate()
        file.write(piece.content)
