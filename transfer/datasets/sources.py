"""What a dataset is imported from: a folder or a zip, listed and read alike."""

import os
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from transfer.datasets.revision import PassedOver
from transfer.errors import DatasetError

#: What a zip may hold: far above any dataset that one machine trains on, and far below
#: what a zip of a few kilobytes can claim to unpack to.
MAX_ZIP_FILES = 2_000_000
MAX_ZIP_BYTES = 200 * 1024**3

#: What operating systems leave behind; names in lower case.
_LEFTOVERS = frozenset(
    ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "@eadir")
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """The files of a folder or zip, without hidden files and leftovers.

    Attributes:
        files: Size in bytes by path, with `/`, relative to the folder or zip.
        folders: Paths of folders, empty ones included.
        open: Opens the file of a path for reading; threads may do so at once.
        passed_over: What is there but is not read, such as links.
    """

    files: dict[str, int]
    folders: frozenset[str]
    open: Callable[[str], IO[bytes]]
    passed_over: tuple[PassedOver, ...] = ()


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The folder or zip at `path`.

    Raises:
        DatasetError: There is nothing at `path`, it is neither a folder nor a zip, it
            cannot be read, or the zip is not safe to unpack.
    """
    if path.is_dir():
        yield _folder_source(path)
    elif path.exists():
        with _opened_zip(path) as archive:
            yield _zip_source(archive, path)
    else:
        raise DatasetError(
            f"There is nothing at {path}.", "Check the path for a slip of the pen."
        )


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LEFTOVERS


def _folder_source(root: Path) -> Source:
    files: dict[str, int] = {}
    folders: set[str] = set()
    links: list[PassedOver] = []
    for path in _walk(root):
        relative = path.relative_to(root).as_posix()
        if path.is_symlink():
            # A link may lead out of the folders that the app is allowed to read.
            reason = "A link; links are not followed, copy the file instead."
            links.append(PassedOver(path=relative, reason=reason))
        elif path.is_dir():
            folders.add(relative)
        elif path.is_file():
            files[relative] = path.stat().st_size
    return Source(
        files=files,
        folders=frozenset(folders),
        open=lambda relative: (root / relative).open("rb"),
        passed_over=tuple(links),
    )


def _walk(root: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise DatasetError(
            f"The folder {error.filename} cannot be read: {error.strerror}.",
            "Check that you may read it.",
        ) from error

    for parent, folders, files in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        for name in folders + [name for name in files if not _is_hidden(name)]:
            yield Path(parent, name)


@contextmanager
def _opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise DatasetError(
            f"{path} cannot be read: {error.strerror}.", "Check that you may read it."
        ) from error
    # The file is opened here since ZipFile counts the readers of a file that it opened
    # itself without a lock, and closes it when the count reaches 0.
    with file:
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise DatasetError(
                f"{path.name} is not a zip file, or it is cut off ({error}).",
                "Give a folder or a .zip; if it was sent, send it again.",
            ) from error
        with archive:
            yield archive


def _zip_source(archive: zipfile.ZipFile, path: Path) -> Source:
    _check_size(archive, path)
    members: dict[str, zipfile.ZipInfo] = {}
    folders: set[str] = set()
    for info in archive.infolist():
        name = _member_name(info)
        _check_member(info, name, path)
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if not parts or any(_is_hidden(part) for part in parts):
            continue
        if info.is_dir() or name.endswith("/"):
            folders.add("/".join(parts))
        else:
            members["/".join(parts)] = info
    return Source(
        files={name: info.file_size for name, info in members.items()},
        folders=frozenset(folders),
        open=lambda name: archive.open(members[name]),
    )


def _check_size(archive: zipfile.ZipFile, path: Path) -> None:
    members = archive.infolist()
    unpacked = sum(info.file_size for info in members)
    if len(members) > MAX_ZIP_FILES or unpacked > MAX_ZIP_BYTES:
        raise DatasetError(
            f"{path.name} would unpack to {len(members):,} files and "
            f"{unpacked / 1024**3:,.1f} GB; at most {MAX_ZIP_FILES:,} files and "
            f"{MAX_ZIP_BYTES / 1024**3:,.1f} GB are taken from a zip.",
            "Unpack it yourself and import the folder.",
        )


def _member_name(info: zipfile.ZipInfo) -> str:
    """The member's name with `/`, in the encoding that it was most likely written in.

    macOS and older Linux tools write UTF-8 without the flag that says so, which zipfile
    then reads as code page 437. Text of that code page is hardly ever valid UTF-8.
    """
    name = info.filename
    if not info.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = info.filename
    return name.replace("\\", "/")


def _check_member(info: zipfile.ZipInfo, name: str, path: Path) -> None:
    if name.startswith("/") or ".." in name.split("/") or re.match("[A-Za-z]:", name):
        raise DatasetError(
            f'{path.name} holds the path "{name}", which leads out of the zip.',
            "Make the zip again from the folder itself.",
        )
    if info.flag_bits & 0x1:
        raise DatasetError(
            f"{path.name} is protected by a password.", "Make a zip without one."
        )
