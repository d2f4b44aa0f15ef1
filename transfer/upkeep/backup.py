"""A workspace in one file: written while it is used, checked as it is taken back.

A tar of `backup.json`, which says what is in it, the files of the workspace below
`workspace/`, and `checksums.json` with the SHA-256 of each. Whatever reads tars can
look into it; only whole ones are restored.
"""

import hashlib
import io
import json
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from transfer import workspace
from transfer.datasets import revision, scratch
from transfer.errors import ConfigError, StorageError
from transfer.store import carrying, database
from transfer.store.runs import Store
from transfer.upkeep import snapshot

#: The form of such files.
FORMAT = 1
_ABOUT, _FILES, _CHECKSUMS = "backup.json", "workspace", "checksums.json"
#: Bytes read at a time.
_PIECE = 1 << 20
#: Folder of what is restored, until all of it is known to be right.
_RESTORING = ".restoring"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a backup says of itself.

    Attributes:
        format: The form of the file.
        schema: Version of the tables in its database.
        manifests: The form of its datasets' manifests.
        made_at: Seconds since 1970.
        caches: Whether features and thumbnails are in it.
        datasets: Names of its datasets.
        runs: Number of its runs.
        files: Number of its files.
        bytes: Of all of them.
    """

    format: int
    schema: str
    manifests: int
    made_at: float
    caches: bool
    datasets: list[str]
    runs: int
    files: int
    bytes: int


#: Hears how many bytes of how many are done.
Progress = Callable[[int, int], None]


def write(
    output: Path, caches: bool = True, progress: Progress | None = None
) -> Contents:
    """What the backup of the workspace says of itself, once it is written.

    Args:
        output: The file, outside the workspace; none of that name is there.
        caches: Whether features and thumbnails, which can be made again, are in it.
        progress: Hears of it.

    Raises:
        ConfigError: The file is there already, or in the workspace.
        StorageError: The disk is full, or the workspace cannot be read.
    """
    output = output.expanduser().absolute()
    if output.exists() or workspace.home().absolute() in output.parents:
        raise ConfigError(
            f"{output} is there already, or in the workspace itself.",
            "Choose another name, on another disk if there is one.",
        )
    made = output.with_name(f".writing-{output.name}")
    with scratch.folder() as folder:
        snapshot.take(folder, caches)
        with workspace.writing(output):
            try:
                made.touch(mode=0o600)
                contents = _pack(folder, made, caches, progress)
                made.replace(output)
            finally:
                made.unlink(missing_ok=True)
    return contents


def restore(backup: Path, to: Path, progress: Progress | None = None) -> Contents:
    """Brings a workspace back, whole or not at all; what the backup says of itself.

    The database comes back as a file of the workspace, or, where
    `TRANSFER_DATABASE_URL` names one on a server, in there: whichever it was before.

    Args:
        backup: What `write` has written.
        to: A folder with nothing in it, or none.
        progress: Hears of it.

    Raises:
        ConfigError: There is something in the folder, or in the database.
        StorageError: The backup is damaged or of a newer version of the program, or
            the folder cannot be written.
    """
    staging = to / _RESTORING
    shutil.rmtree(staging, ignore_errors=True)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ConfigError(
            f"{to} is not an empty folder, and what is there is not overwritten.",
            "Name another one with --to, or move it away.",
        )
    try:
        with backup.open("rb") as file:
            with workspace.writing(to):
                workspace.make_folder(staging)
            contents = _unpack(file, staging, progress)
        with _filling_database(staging / snapshot.STORE), workspace.writing(to):
            # The database last: without it, it is no workspace yet.
            for path in sorted(
                staging.iterdir(), key=lambda one: one.name == snapshot.STORE
            ):
                path.replace(to / path.name)
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as error:
        raise _damage_error(backup, str(error) or type(error).__name__) from error
    except OSError as error:
        raise StorageError(f"{backup} cannot be read: {error}.") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return contents


@contextmanager
def _filling_database(store: Path) -> Iterator[None]:
    """Has the rows in the database that is set, if that is no file, once all is there.

    It is filled before the block and kept after it: one that cannot be filled leaves
    no files, and files that cannot be moved leave no rows.
    """
    url = database.default_url()
    if database.file_of(url):
        yield
        return
    with carrying.from_file(store, url):
        store.unlink()
        yield


def _pack(
    folder: Path, output: Path, caches: bool, progress: Progress | None
) -> Contents:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    total = sum(path.stat().st_size for path in paths)
    with closing(Store(f"sqlite:///{folder / snapshot.STORE}")) as store:
        runs = len(store.summaries())
    contents = Contents(
        format=FORMAT,
        schema=database.newest_version(),
        manifests=revision.SCHEMA,
        made_at=time.time(),
        caches=caches,
        datasets=[one.parent.name for one in sorted(folder.glob("datasets/*/newest"))],
        runs=runs,
        files=len(paths),
        bytes=total,
    )
    done = 0
    with tarfile.open(output, "w") as tar:
        checksums = {_ABOUT: _add_json(tar, _ABOUT, asdict(contents))}
        for path in paths:
            name = f"{_FILES}/{path.relative_to(folder).as_posix()}"
            with path.open("rb") as file:
                # The size as it is now: a log may grow while it is read.
                now = os.fstat(file.fileno())
                checksums[name] = _add(tar, name, file, now.st_size, now.st_mtime)
            done += now.st_size
            if progress:
                progress(done, total)
        _add_json(tar, _CHECKSUMS, checksums)
    return contents


def _unpack(file: IO[bytes], folder: Path, progress: Progress | None) -> Contents:
    """Writes all files below a folder, and holds each against its checksum."""
    found: dict[str, str] = {}
    wanted: dict[str, str] = {}
    contents: Contents | None = None
    done = 0
    with tarfile.open(fileobj=file, mode="r|") as tar:
        for member in tar:
            reading = _Hashed(tar.extractfile(member))
            if member.name == _CHECKSUMS:
                wanted = json.loads(reading.read())
                continue
            if contents is None:
                contents = _contents(member.name, reading)
                _check_room(folder, contents)
            else:
                _write(folder, member, reading)
                done += member.size
                if progress:
                    progress(done, contents.bytes)
            found[member.name] = reading.digest.hexdigest()
    if contents is None or found != wanted:
        differing = found.items() ^ wanted.items()
        names = ", ".join(sorted({name for name, _ in differing})[:3])
        raise ValueError(f"missing or changed: {names or 'everything'}")
    return contents


def _contents(name: str, reading: "_Hashed") -> Contents:
    if name != _ABOUT:
        raise ValueError(f"no {_ABOUT} at its beginning")
    about = json.loads(reading.read())
    # Before the rest is read: it may be of a form that we do not know.
    if (
        about["format"] > FORMAT
        or about["schema"] > database.newest_version()
        or about["manifests"] > revision.SCHEMA
    ):
        raise StorageError(
            f"It was made by a newer Transfer Studio: form {about['format']}, tables "
            f"{about['schema']}; this one knows forms up to {FORMAT} and tables up to "
            f"{database.newest_version()}.",
            "Restore it with that one.",
        )
    return Contents(**about)


def _check_room(folder: Path, contents: Contents) -> None:
    free = shutil.disk_usage(folder).free
    if free < contents.bytes:
        raise StorageError(
            f"It needs {workspace.amount(contents.bytes)}, and "
            f"{workspace.amount(free)} are free for {folder.parent}.",
            "Free some space, or name a folder of a larger disk with --to.",
        )


def _write(folder: Path, member: tarfile.TarInfo, reading: "_Hashed") -> None:
    # By somebody else's hand it could name any file of this machine.
    parts = member.name.split("/")
    if not member.isreg() or parts[0] != _FILES or {"", ".", ".."} & set(parts):
        raise ValueError(f"{member.name!r} is no file of a workspace")
    path = folder / PurePosixPath(*parts[1:])
    with workspace.writing(path):
        workspace.make_folder(path.parent)
        path.touch(mode=0o600)
        with path.open("wb") as file:
            shutil.copyfileobj(reading, file, _PIECE)
        # Where caches make room, what was not used for longest goes first.
        os.utime(path, (member.mtime, member.mtime))


def _damage_error(backup: Path, why: str) -> StorageError:
    return StorageError(
        f"{backup} is damaged or no backup: {why}. Nothing was restored.",
        "Take another one, or copy it once more from where it was made.",
    )


class _Hashed:
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file or io.BytesIO()
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        self.digest.update(data)
        return data


def _add(
    tar: tarfile.TarFile, name: str, content: IO[bytes], size: int, at: float
) -> str:
    """The checksum of a file that was put into the tar."""
    info = tarfile.TarInfo(name)
    info.mode, info.size, info.mtime = 0o600, size, int(at)
    reading = _Hashed(content)
    tar.addfile(info, reading)
    return reading.digest.hexdigest()


def _add_json(tar: tarfile.TarFile, name: str, value: Any) -> str:
    content = json.dumps(value, indent=1).encode()
    return _add(tar, name, io.BytesIO(content), len(content), time.time())
