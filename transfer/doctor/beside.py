"""Looks at many images in processes of their own, while this one imports Keras.

Threads would stand still for most of that: the import holds Python's lock (the GIL).
`python -m transfer.doctor.beside` reads one JSON line that says what to look at, writes
the looks into the files of all, and tells in JSON lines which are done.
"""

import json
import queue
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from transfer import processes
from transfer.datasets.decoding import Grey
from transfer.doctor.one_look import Looks, look_at_some

#: Images between two words of how far it is.
_PIECE = 32
#: Processes at most: each takes 60 MB.
_MOST = 8

#: Positions that were looked at, and why not, where one is unreadable.
Told = tuple[list[int], dict[int, str]]


def look_beside(
    folder: Path, some: Sequence[int], hashes: Sequence[str], grey: Grey | None
) -> Iterator[Told]:
    """Pieces of what was looked at, as they are done; the processes end with it.

    Args:
        folder: Where the files of all looks are, into which these go.
        some: Positions; those of a process that dies are not told.
        hashes: SHA-256 of all images.
        grey: As in `looks.look`.
    """
    count = min(processes.cores(), _MOST)
    pieces = [list(some[at : at + _PIECE]) for at in range(0, len(some), _PIECE)]
    told: queue.SimpleQueue[Told | None] = queue.SimpleQueue()
    started = [_start() for _ in range(count)]
    with ThreadPoolExecutor(count) as pool:
        try:
            for number, process in enumerate(started):
                own = [[at, [hashes[i] for i in at]] for at in pieces[number::count]]
                asked = {"folder": str(folder), "images": len(hashes), "grey": grey}
                pool.submit(_listen, process, {**asked, "pieces": own}, told)
            left = count
            while left:
                if (one := told.get()) is None:
                    left -= 1
                else:
                    yield one
        finally:
            for process in started:
                process.kill()
                process.wait()


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603  our own module
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=processes.environment(),
    )


def _listen(
    process: "subprocess.Popen[bytes]",
    asked: dict[str, Any],
    told: "queue.SimpleQueue[Told | None]",
) -> None:
    """Asks a process, and tells what it answers; `None` at its end."""
    try:
        with process.stdin as asking, process.stdout as answers:  # type: ignore[union-attr]
            asking.write(json.dumps(asked).encode() + b"\n")
            asking.flush()
            for line in answers:
                at, unreadable = json.loads(line)
                told.put((at, {int(one): why for one, why in unreadable.items()}))
    except (OSError, ValueError):
        pass  # it died; what it had left is looked at in another way
    finally:
        told.put(None)


def _serve(line: bytes) -> None:
    """Looks at what it is asked to; ends with whoever asked, who no longer listens."""
    asked = json.loads(line)
    looks = Looks.in_folder(Path(asked["folder"]), asked["images"], "r+")
    for at, hashes in asked["pieces"]:
        own, unreadable = look_at_some(hashes, asked["grey"])
        looks.put(at, own)
        why = {at[one]: reason for one, reason in unreadable.items()}
        print(json.dumps([at, why]), flush=True)


if __name__ == "__main__":
    _serve(sys.stdin.buffer.readline())
