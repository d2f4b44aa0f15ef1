"""What a dataset is imported from: a folder or a zip, listed and read alike."""

import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, NamedTuple

from transfer.datasets import kinds, names
from transfer.datasets.ingest import code_pages, uploads, zip_names, zips_inside
from transfer.datasets.revision import Kind, PassedOver
from transfer.errors import DatasetError

#: What a zip may hold: above any dataset, and far below what a small one can claim.
MAX_ZIP_FILES = 2_000_000
MAX_ZIP_BYTES = 200 * 1024**3

#: Folders inside each other. A zip of 4 MB can hold a path of 30,000 folders, which
#: would take gigabytes to take apart.
MAX_DEPTH = 40

#: Seconds of a day.
_DAY = 24 * 60 * 60

#: What operating systems leave behind; names in lower case.
_LEFTOVERS = frozenset(
    ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "@eadir")
)

_TOO_DEEP = f"More than {MAX_DEPTH} folders inside each other."

#: What reading a damaged zip raises.
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)


@dataclass(frozen=True)
class Source:
    """The files of a folder or zip, without hidden files and leftovers.

    Attributes:
        files: Size in bytes by path, with `/`, relative to the folder or zip.
        pictures: Those that are pictures, or sounds, by their ending or first bytes.
        folders: Paths of folders, empty ones included.
        open: Opens the file of a path for reading; threads may do so at once.
        days: Day of each file's last change, counted from 1970, where it is known.
        on_disk: Where the files of a folder lie; empty for a zip.
        passed_over: What is there but is not read, such as links.
        notes: What was found out about it and is worth a look, a sentence each.
        code_page: In which names in a zip are written; empty where they say it.
        kind: What was looked for.
    """

    files: dict[str, int]
    pictures: frozenset[str]
    folders: frozenset[str]
    open: Callable[[str], IO[bytes]]
    days: Mapping[str, int] = field(default_factory=dict)
    on_disk: Mapping[str, str] = field(default_factory=dict)
    passed_over: tuple[PassedOver, ...] = ()
    notes: tuple[str, ...] = ()
    code_page: str = ""
    kind: Kind = "images"


@contextmanager
def open_source(
    path: Path, code_page: str = "", kind: Kind = "images"
) -> Iterator[Source]:
    """What is at `path`.

    Args:
        path: A folder, zip, picture or recording.
        code_page: Of names in a zip that do not say it; found out if empty.
        kind: What is looked for.

    Raises:
        DatasetError: There is nothing at `path`, it is neither a folder nor a zip, it
            cannot be read, or the zip is not safe to unpack.
    """
    if path.is_dir():
        yield replace(_folder_source(path, kind), kind=kind)
    elif path.is_file() and kinds.is_named_like(kind, path.name):
        yield replace(_file_source(path), kind=kind)
    elif path.is_file():
        with ExitStack() as stack:
            archive = stack.enter_context(_open_zip(path))
            found = _zip_source(archive, path, code_page, stack, kind)
            yield replace(found, kind=kind)
    elif path.exists():
        raise DatasetError(
            f"{path} is neither a folder nor a file, but a device or a pipe.",
            "Give a folder or a .zip.",
        )
    else:
        says = f"There is nothing at {path}."
        raise DatasetError(says, "Check the path for a slip of the pen.")


def _file_source(path: Path) -> Source:
    files = {path.name: path.stat().st_size}
    none, known = frozenset[str](), frozenset(files)
    return Source(files, known, none, lambda _: path.open("rb"))


def _pictures(
    files: Iterable[str], open_file: Callable[[str], IO[bytes]], kind: Kind
) -> frozenset[str]:
    """The files that are of this kind; only those of other endings are opened."""

    def begins_like_one(path: str) -> bool:
        try:
            with open_file(path) as file:
                return kinds.begins_like(kind, file.read(kinds.BEGINNING))
        except (OSError, EOFError, ValueError, NotImplementedError, *DAMAGED):
            return False

    return frozenset(
        path
        for path in files
        if kinds.is_named_like(kind, path) or begins_like_one(path)
    )


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LEFTOVERS


def _folder_source(root: Path, kind: Kind) -> Source:
    sizes: dict[str, int] = {}
    on_disk: dict[str, str] = {}
    days: dict[str, int] = {}
    folders: set[str] = set()
    passed_over: list[PassedOver] = []
    truly = uploads.true_names(root)
    for path, parts in _walk(root):
        relative = "/".join([truly.get(part, part) for part in parts])
        # Of a link itself, not of what it leads to.
        status = os.lstat(path)
        if reason := _why_not(status.st_mode, len(parts)):
            passed_over.append(PassedOver(path=names.showable(relative), reason=reason))
        elif stat.S_ISDIR(status.st_mode):
            folders.add(relative)
        else:
            sizes[relative], on_disk[relative] = status.st_size, path
            days[relative] = max(0, int(status.st_mtime // _DAY))

    def open_file(relative: str) -> IO[bytes]:
        return Path(on_disk[relative]).open("rb")

    return Source(
        files=sizes,
        pictures=_pictures(sizes, open_file, kind),
        folders=frozenset(folders),
        open=open_file,
        days=days,
        on_disk=on_disk,
        passed_over=tuple(passed_over),
    )


def _why_not(mode: int, depth: int) -> str:
    """Why what has this mode is not read; empty if it is."""
    if stat.S_ISLNK(mode):
        # It may lead out of the folders that the app is allowed to read.
        return "A link; links are not followed, copy the file or folder instead."
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        return "Neither a file nor a folder, but a device or a pipe."
    return _TOO_DEEP if depth > MAX_DEPTH else ""


def _walk(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Paths on disk, as text since there are many, and their parts below the root."""

    def refuse(error: OSError) -> None:
        raise DatasetError(
            f"The folder {error.filename} cannot be read: {error.strerror}.",
            "Check that you may read it.",
        ) from error

    for parent, folders, files in os.walk(root, onerror=refuse):
        # In place, since `os.walk` goes down into what is left in this very list.
        folders[:] = [name for name in folders if not _is_hidden(name)]
        above = [
            one for one in os.path.relpath(parent, root).split(os.sep) if one != "."
        ]
        for name in folders + [name for name in files if not _is_hidden(name)]:
            yield os.path.join(parent, name), [*above, name]
        if len(above) >= MAX_DEPTH:
            folders.clear()


@contextmanager
def _open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
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


def _zip_source(
    archive: zipfile.ZipFile, path: Path, code_page: str, stack: ExitStack, kind: Kind
) -> Source:
    # From the listing alone, before anything is unpacked.
    _check_size(archive, path)
    raw = [one for one in map(zip_names.raw_name, archive.infolist()) if one]
    if raw and not code_page:
        code_page = code_pages.guess(raw)
    members: dict[str, tuple[zipfile.ZipFile, zipfile.ZipInfo]] = {}
    folders: set[str] = set()
    passed_over: list[PassedOver] = []
    for member in _members(archive, path, code_page, stack):
        parts = member.path.split("/")
        if len(parts) > MAX_DEPTH:
            shown = names.showable("/".join(parts[:3]))[:200] + "/…"
            passed_over.append(PassedOver(path=shown, reason=_TOO_DEEP))
        elif member.is_folder:
            folders.add(member.path)
        else:
            members[member.path] = member.archive, member.info
            folders.add("/".join(parts[:-1]))

    def open_file(name: str) -> IO[bytes]:
        inside, info = members[name]
        return inside.open(info)

    return Source(
        files={name: info.file_size for name, (_, info) in members.items()},
        pictures=_pictures(members, open_file, kind),
        folders=frozenset(folders - {""}),
        open=open_file,
        days={name: zip_names.day(info) for name, (_, info) in members.items()},
        passed_over=tuple(passed_over),
        notes=zip_names.note_on_names(code_page) if raw else (),
        code_page=code_page if raw else "",
    )


class _Member(NamedTuple):
    """A file or folder in a zip, or in a zip inside it."""

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo
    path: str
    is_folder: bool


def _members(
    archive: zipfile.ZipFile,
    path: Path,
    code_page: str,
    stack: ExitStack,
    above: str = "",
) -> Iterator[_Member]:
    """What lies in the zip; zips inside it are folders, but not those inside these."""
    for info in archive.infolist():
        name = zip_names.member_name(info, code_page)
        zip_names.check_member(info, name, path)
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if not parts or any(_is_hidden(part) for part in parts):
            continue
        full, is_folder = above + "/".join(parts), info.is_dir() or name[-1] == "/"
        inner = None if above or is_folder else zips_inside.unpack(archive, info, stack)
        if inner is None:
            where = zips_inside.in_class_folder(full)
            yield _Member(archive, info, where, is_folder)
        else:
            _check_size(inner, path)
            folder = "/".join([*parts[:-1], zips_inside.folder_name(parts[-1]), ""])
            yield from _members(inner, path, code_page, stack, folder)


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
