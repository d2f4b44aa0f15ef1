"""A look at every image, kept like features are, so that each is looked at once."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transfer import cluster, shards
from transfer.datasets.decoding import Grey
from transfer.doctor.beside import Told, look_beside
from transfer.doctor.one_look import LOOK, Looks, look_at_some
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
        folder: Where they lie, in files, as long as they are used.
        progress: Called with the number of images done and of all.

    Raises:
        StorageError: The disk is full.
    """
    shelf = shelf_of(grey)
    looks = Looks.in_folder(folder, len(hashes))
    lost: list[int] = []
    for start in range(0, len(hashes), _READ):
        kept, gone = shelf.read(hashes[start : start + _READ])
        kept[gone] = 0  # they hold anything
        looks.put(range(start, start + len(kept)), kept.reshape(-1).view(LOOK))
        lost += [start + at for at in gone]
    done = len(hashes) - len(lost)
    progress(done, len(hashes))
    if cluster.is_used():
        told = _look_everywhere(looks, shelf, lost, hashes, grey)
    else:
        told = _look_here(looks, folder, shelf, lost, hashes, grey)
    for some, why in told:
        looks.unreadable.update(why)
        done += len(some)
        progress(done, len(hashes))
    return looks


def shelf_of(grey: Grey | None, is_read: bool = True) -> Shelf:
    """Where looks are kept, by the range of deep grey; as in `Shelf`."""
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
    looks: Looks,
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
        kept[gone] = 0
        looks.put(piece, kept.reshape(-1).view(LOOK))
        yield list(piece), {piece[at]: reason for at, reason in why.items()}


def _keep_some(
    grey: Grey | None, hashes: Sequence[str]
) -> tuple[list[str], dict[int, str]]:
    """Keeps looks at some images: names of segments, and why not, by position."""
    with shelf_of(grey, is_read=False).writer() as writer:
        rows, why = look_at_some(hashes, grey)
        good = [at for at in range(len(hashes)) if at not in why]
        _keep(writer, rows[good], [hashes[at] for at in good])
    return [segment.name for segment in writer.segments], why


def _keep(writer: Writer, rows: NDArray[np.void], hashes: Sequence[str]) -> None:
    if hashes:
        writer.add(hashes, rows.view(np.uint8).reshape(len(hashes), -1))


def _look_here(
    looks: Looks,
    folder: Path,
    shelf: Shelf,
    some: Sequence[int],
    hashes: Sequence[str],
    grey: Grey | None,
) -> Iterator[Told]:
    """Pieces of what was looked at on this machine, and is kept."""
    with shelf.writer() as writer:
        for at, why in _look_at_all(looks, folder, some, hashes, grey):
            good = [one for one in at if one not in why]
            _keep(writer, looks.take(good), [hashes[one] for one in good])
            yield at, why


def _look_at_all(
    looks: Looks,
    folder: Path,
    some: Sequence[int],
    hashes: Sequence[str],
    grey: Grey | None,
) -> Iterator[Told]:
    """Pieces of what was looked at, as they are done."""
    left = dict.fromkeys(some)
    if len(left) > _FEW:
        for at, why in look_beside(folder, some, hashes, grey):
            yield at, why
            for one in at:
                left.pop(one)
    rest = [hashes[at] for at in left]
    found = shards.each(lambda one: look_at_some([one], grey), rest, task=0)
    for one, (own, reasons) in zip(left, found, strict=True):
        looks.put([one], own)
        yield [one], {one: reasons[0]} if reasons else {}
