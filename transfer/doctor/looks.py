"""A look at every image, kept like features are, so that each is looked at once."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer import processes
from transfer.datasets import scratch
from transfer.datasets.decoding import Grey
from transfer.doctor.beside import Told, look_beside
from transfer.doctor.one_look import LOOK, look_at_some
from transfer.features.cache import Shelf

#: Raise this when a look says something else than before.
_VERSION = 1
#: Looks that are read at a time.
_READ = 4096
#: So few images are looked at here, before other processes would have begun.
_FEW = 256

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
    scale = "-{:.9g}-{:.9g}".format(*grey) if grey else ""
    shelf = Shelf(f"looks-{_VERSION}{scale}", (LOOK.itemsize,), "uint8")
    rows = scratch.array(folder, "looks", LOOK, (len(hashes),))
    lost: list[int] = []
    for start in range(0, len(hashes), _READ):
        kept, gone = shelf.read(hashes[start : start + _READ])
        rows[start : start + len(kept)] = kept.reshape(-1).view(LOOK)
        lost += [start + at for at in gone]
    unreadable: dict[int, str] = {}
    done = len(hashes) - len(lost)
    progress(done, len(hashes))
    with shelf.writer() as writer:
        for some, why in _look_at_all(rows, folder / "looks", lost, hashes, grey):
            unreadable |= why
            good = [at for at in some if at not in why]
            if good:
                content = rows[good].view(np.uint8).reshape(len(good), -1)
                writer.add([hashes[at] for at in good], content)
            done += len(some)
            progress(done, len(hashes))
    return Looks(rows, unreadable)


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
    with ThreadPoolExecutor(processes.cores()) as pool:
        pieces = [[at] for at in left]
        found = pool.map(lambda at: look_at_some(rows, at, hashes, grey), pieces)
        yield from zip(pieces, found, strict=True)
