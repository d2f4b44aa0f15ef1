"""Copies pictures into a folder of the workspace and sees that each one decodes."""

import hashlib
import lzma
import shutil
import uuid
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Resampling

from transfer import shards, workspace
from transfer.datasets import decoding, facts, names, thumbnails
from transfer.datasets.decoding import Grey, Levels
from transfer.datasets.facts import Fact
from transfer.datasets.ingest import grey, time_limit
from transfer.datasets.ingest.class_folders import Entry
from transfer.datasets.ingest.sources import Source
from transfer.datasets.ingest.uploads import SPARE_DISK
from transfer.datasets.revision import PassedOver
from transfer.errors import ImageError, StorageError

#: No picture of `opening.MAX_PIXELS` needs more, and a zip may claim anything.
MAX_FILE_BYTES = 1024**3

_CHUNK_BYTES = 1024**2

Result = TypeVar("Result")

#: Called with the number of pictures done and of all.
Progress = Callable[[int, int], None]
#: Is told how many pictures come and their bytes before any is copied, and raises where
#: somebody may not have so many.
Allow = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture that was copied to `path` in the workspace and decodes.

    Attributes:
        entry: Where it came from, and its class.
        sha256: Hash of its bytes.
        path: The copy.
        fact: What its head says.
        levels: Its values, if it is one of deep grey.
        is_flat: Whether it is nearly constant; what that means for deep grey only the
            whole dataset tells.
        day: Day of its last change, from 1970; 0 where it is not known.
        group: What goes into one split together; empty where it stands alone.
    """

    entry: Entry
    sha256: str
    path: Path
    fact: Fact
    levels: Levels | None = None
    is_flat: bool = False
    day: int = 0
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class Coming:
    """A file that is to be copied, and what is known of it; it can travel.

    Attributes:
        entry: Where it lies, and its class.
        size: In bytes.
        day: Day of its last change, from 1970; 0 where it is not known.
        open: Opens it for reading.
        folder: Where the copy goes.
    """

    entry: Entry
    size: int
    day: int
    open: Callable[[], IO[bytes]]
    folder: Path

    def new_file(self) -> Path:
        """A name for the copy that nobody else has: two may copy the same file."""
        return self.folder / uuid.uuid4().hex


def stage(
    source: Source,
    entries: Sequence[Entry],
    folder: Path,
    progress: Progress | None = None,
    allow: Allow | None = None,
) -> tuple[list[Picture], list[PassedOver]]:
    """Copies and decodes the pictures; those that do not decode are passed over.

    Raises:
        StorageError: The disk is full or `folder` cannot be written.
    """
    check_coming(source, entries, folder, allow)
    pictures: list[Picture] = []
    passed_over: list[PassedOver] = []
    with closing(each(_stage_one, source, entries, folder)) as results:
        for done, result in enumerate(results, start=1):
            if isinstance(result, Picture):
                pictures.append(result)
            else:
                passed_over.append(result)
            if progress:
                progress(done, len(entries))
    return pictures, passed_over


def each(
    stage_one: Callable[[Coming], Result | PassedOver],
    source: Source,
    entries: Sequence[Entry],
    folder: Path,
) -> Generator[Result | PassedOver]:
    """What is made of each entry, in their order, here and on other machines.

    These may not have the folder that pictures are read from, so that what one of them
    passes over is looked at again here.

    Args:
        stage_one: Copies and reads one; see `shards.each`.
        source: Where they come from.
        entries: The files.
        folder: Where their copies go.
    """
    yield from shards.each(
        stage_one,
        (_coming(source, entry, folder) for entry in entries),
        # What lies in a zip is not sent to others: each would read its listing first.
        task=shards.TASK if source.on_disk else 0,
        is_doubtful=lambda found: isinstance(found, PassedOver),
    )


def _coming(source: Source, entry: Entry, folder: Path) -> Coming:
    path = entry.path
    open_it: Callable[[], IO[bytes]] = partial(source.open, path)
    if source.on_disk:
        open_it = partial(_open_on_disk, source.on_disk[path])
    return Coming(
        entry=entry,
        size=source.files[path],
        day=source.days.get(path, 0),
        open=open_it,
        folder=folder,
    )


def _open_on_disk(path: str) -> IO[bytes]:
    return Path(path).open("rb")


def comes_out_flat(picture: Picture, scale: Grey | None) -> bool:
    """Whether a model sees next to nothing in it, given the dataset's range of grey."""
    levels = picture.levels
    return picture.is_flat or bool(levels and scale and grey.is_flat(levels, scale))


def check_coming(
    source: Source, entries: Sequence[Entry], folder: Path, allow: Allow | None
) -> None:
    """Returns quietly where these files may come, and fit on the disk.

    Raises:
        LimitError: They may not.
        StorageError: They do not fit.
    """
    size = sum(source.files[entry.path] for entry in entries)
    if allow:
        allow(len(entries), size)
    check_space(size, folder)


def check_space(needed: int, folder: Path) -> None:
    """Returns quietly where `needed` bytes of pictures fit on the disk of `folder`.

    Raises:
        StorageError: They do not; some room is left for trainings.
    """
    free = max(0, shutil.disk_usage(folder).free - SPARE_DISK)
    if needed > free:
        raise StorageError(
            f"The files need {workspace.amount(needed)}, but the disk of "
            f"{workspace.home()} has {workspace.amount(free)} left for them.",
            "Free some space or set TRANSFER_HOME to a larger disk, then try again.",
        )


def _stage_one(coming: Coming) -> Picture | PassedOver:
    target = coming.new_file()
    try:
        check_bytes(coming.size)
        sha256 = copy(coming, target)
        # The copy: the original may change between this look and the next.
        with target.open("rb") as opened:
            file = time_limit.limit(opened)
            small = _look(file, target)
            # Deep grey has no colours, so most pictures need not be opened once more.
            fact = facts.read(file)
            is_grey = bool((small[..., 0] == small[..., 2]).all())
            levels = decoding.levels(file) if is_grey else None
            if levels:  # how these are shown the whole dataset tells
                thumbnail_of(target).unlink(missing_ok=True)
            # At the first size fine patterns are gone too, hence the second.
            is_flat = grey.are_flat(small) and grey.are_flat(
                decoding.decode(file, (256, 256))
            )
        return Picture(
            entry=coming.entry,
            sha256=sha256,
            path=target,
            fact=fact,
            levels=levels,
            is_flat=is_flat and not levels,
            day=coming.day,
        )
    except ImageError as error:
        target.unlink(missing_ok=True)
        return PassedOver(path=names.showable(coming.entry.path), reason=error.message)


def _look(file: BinaryIO, target: Path) -> NDArray[np.uint8]:
    """The picture at 32 x 32; its thumbnail, where it needs one, is kept beside it."""
    if thumbnails.of_small_file(target):
        return decoding.decode(file, (32, 32))
    # Decoded once for both: of a photograph that takes longest.
    content, picture = decoding.thumbnail(file)
    with workspace.writing(target):
        thumbnail_of(target).write_bytes(content)
    return np.array(picture.resize((32, 32), Resampling.BILINEAR))


def thumbnail_of(target: Path) -> Path:
    """Where the thumbnail of a copied picture lies until it is kept."""
    return target.with_name(f"{target.name}.thumbnail")


def keep_thumbnails(pictures: Iterable[Picture]) -> None:
    """Keeps those of pictures that are in the workspace for good now."""
    thumbnails.take((one.sha256, thumbnail_of(one.path)) for one in pictures)


def check_bytes(size: int) -> None:
    """Returns quietly where a picture may have so many bytes.

    Raises:
        ImageError: It may not.
    """
    if size > MAX_FILE_BYTES:
        raise ImageError(
            f"The file has {workspace.amount(size)}; at most "
            f"{workspace.amount(MAX_FILE_BYTES)} are read."
        )


def copy(coming: Coming, target: Path) -> str:
    """Copies piece by piece; the SHA-256 of what was copied.

    Raises:
        ImageError: It cannot be read.
        StorageError: The disk is full or `target` cannot be written.
    """
    sha256 = hashlib.sha256()
    with workspace.writing(target), target.open("wb") as file:
        for chunk in _chunks(coming):
            sha256.update(chunk)
            file.write(chunk)
    return sha256.hexdigest()


def _chunks(coming: Coming) -> Iterator[bytes]:
    """The file's content; an error of reading must not look like one of writing."""
    try:
        with coming.open() as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except (OSError, EOFError, ValueError, NotImplementedError) as error:
        raise ImageError(f"The file cannot be read ({error}).") from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError) as error:
        raise ImageError(f"The file is damaged in the zip ({error}).") from error
