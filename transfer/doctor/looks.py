"""A look at every image, kept like features are, so that each is looked at once."""

import threading
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer import cluster, shards
from transfer.datasets import scratch
from transfer.datasets.decoding import Grey
from transfer.doctor.beside import Told, look_beside
from transfer.doctor.one_look import LOOK, look_at_some
from transfer.features.cache import Shelf, Writer

#: Raise this when a look says something else than before.
_VERSION = 1
#: Looks that are read at a time.
_READ = 4096
#: So few images are looked at here, before other processes would have begun.
_FEW = 256
#: Images of a shard: a second or two of a core.
_SHARD = 256

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
    shelf = _shelf(grey)
    rows = scratch.array(folder, "looks", LOOK, (len(hashes),))
    lost: list[int] = []
    for start in range(0, len(hashes), _READ):
        kept, gone = shelf.read(hashes[start : start + _READ])
        rows[start : start + len(kept)] = kept.reshape(-1).view(LOOK)
        lost += [start + at for at in gone]
    unreadable: dict[int, str] = {}
    done = len(hashes) - len(lost)
    progress(done, len(hashes))
    if cluster.is_used():
        told = _look_everywhere(rows, shelf, lost, hashes, grey)
    else:
        told = _look_here(rows, folder / "looks", shelf, lost, hashes, grey)
    for some, why in told:
        unreadable |= why
        done += len(some)
        progress(done, len(hashes))
    return Looks(rows, unreadable)


def _shelf(grey: Grey | None, is_read: bool = True) -> Shelf:
    scale = "-{:.9g}-{:.9g}".format(*grey) if grey else ""
    return Shelf(f"looks-{_VERSION}{scale}", (LOOK.itemsize,), "uint8", is_read)


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


def _look_everywhere(
    rows: NDArray[np.void],
    shelf: Shelf,
    some: Sequence[int],
    hashes: Sequence[str],
    grey: Grey | None,
) -> Iterator[Told]:
    """Pieces of what was looked at, here and on other machines, and is kept.

    Each look has a small picture, so looks do not travel: they are read from the shelf.
    """
    pieces = [some[start : start + _SHARD] for start in range(0, len(some), _SHARD)]
    asked = [[hashes[at] for at in piece] for piece in pieces]
    found = shards.each(partial(_keep_some, grey), asked, task=1)
    for piece, wanted, (segments, why) in zip(pieces, asked, found, strict=True):
        for segment in segments:
            shelf.keep(shelf.folder / segment)
        kept, gone = shelf.read(wanted)
        rows[piece] = kept.reshape(-1).view(LOOK)
        rows[[piece[at] for at in gone]] = np.zeros((), LOOK)
        yield list(piece), {piece[at]: reason for at, reason in why.items()}


def _keep_some(
    grey: Grey | None, hashes: Sequence[str]
) -> tuple[list[str], dict[int, str]]:
    """Keeps looks at some images: names of segments, and why not, by position."""
    rows = np.zeros(len(hashes), LOOK)
    with _shelf(grey, is_read=False).writer() as writer:
        why = look_at_some(rows, range(len(hashes)), hashes, grey)
        _keep(writer, rows, range(len(hashes)), hashes, why)
    return [segment.name for segment in writer.segments], why


def _keep(
    writer: Writer,
    rows: NDArray[np.void],
    some: Iterable[int],
    hashes: Sequence[str],
    why: Container[int],
) -> None:
    """Keeps those of these looks that there are."""
    good = [at for at in some if at not in why]
    if good:
        content = rows[good].view(np.uint8).reshape(len(good), -1)
        writer.add([hashes[at] for at in good], content)


def _look_here(
    rows: NDArray[np.void],
    file: Path,
    shelf: Shelf,
    some: Sequence[int],
    hashes: Sequence[str],
    grey: Grey | None,
) -> Iterator[Told]:
    """Pieces of what was looked at on this machine, and is kept."""
    with shelf.writer() as writer:
        for at, why in _look_at_all(rows, file, some, hashes, grey):
            _keep(writer, rows, at, hashes, why)
            yield at, why


def _look_at_all(
    rows: NDArray[np.void],
    file: Path,
    some: Sequence[int],
    hashes: Sequence[str],
    grey: Grey | None,
) -> Iterator[Told]:
    """Pieces of what was looked at, as they are done."""
    left = dict.fromkeys(some)
    if len(left) > _FEW:
        for at, why in look_beside(file, some, hashes, grey):
            yield at, why
            for one in at:
                left.pop(one)
    pieces = [[at] for at in left]
    look_at = partial(look_at_some, rows, hashes=hashes, grey=grey)
    yield from zip(pieces, shards.each(look_at, pieces, task=0), strict=True)
