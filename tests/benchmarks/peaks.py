"""How much memory processes take at most while something is done."""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

#: Seconds between two looks at all processes.
_LOOK = 0.2
#: How the command lines of Ray's own processes begin, which nobody here started.
_RAYS = ("ray::", "raylet", "gcs_server")


class Peaks:
    """What the processes took, in MB.

    Attributes:
        largest: Of the one that took the most.
        together: Of all of them at one moment, what they share counted for each.
        spent: Seconds of the processor by process, of those begun meanwhile.
    """

    def __init__(self) -> None:
        self.largest = self.together = 0.0
        self.spent: dict[int, float] = {}


@contextmanager
def watching(with_ray: bool = False) -> Iterator[Peaks]:
    """Looks at all processes that work in this workspace meanwhile, but this one.

    Args:
        with_ray: Look at Ray's processes on this machine too.
    """
    peaks, over, old = Peaks(), threading.Event(), _processes()

    def look() -> None:
        while not over.wait(_LOOK):
            found = [one for one in _processes() if _is_ours(one, with_ray)]
            now = {one: _megabytes(one, "VmRSS") for one in found}
            # The kernel's own mark misses nothing; of one that was there before it may
            # be older than what is measured.
            marks = [_megabytes(one, "VmHWM") for one in set(found) - old]
            peaks.largest = max(peaks.largest, *now.values(), *marks, 0.0)
            peaks.together = max(peaks.together, sum(now.values()))
            for one in set(found) - old:
                peaks.spent[one] = max(peaks.spent.get(one, 0.0), _seconds(one))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peaks
    finally:
        over.set()
        thread.join()


def measure(do: Callable[[], Any], with_ray: bool = False) -> tuple[Any, Any]:
    """What something gave, and a row of its seconds and megabytes."""
    start = time.perf_counter()
    with watching(with_ray) as peaks:
        gave = do()
    row = {"seconds": time.perf_counter() - start}
    return gave, row | {
        "largest process, MB": peaks.largest,
        "all processes, MB": peaks.together,
        "of the processor, s": sum(peaks.spent.values()),
    }


def _seconds(process: int) -> float:
    """Seconds of the processor that a process took; 0 if it has just ended."""
    # The name, in brackets, may have blanks.
    fields = _read(process, "stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _processes() -> set[int]:
    every = {int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()}
    return every - {os.getpid()}


def _is_ours(process: int, with_ray: bool) -> bool:
    words = _read(process, "cmdline")
    if with_ray and words.split("\0")[0].rpartition("/")[2].startswith(_RAYS):
        return True
    return _is_of(process, words, os.environ["TRANSFER_HOME"])


@lru_cache(maxsize=4096)
def _is_of(process: int, _: str, home: str) -> bool:
    """Whether it was started for this workspace; asked anew once it does another."""
    return f"TRANSFER_HOME={home}" in _read(process, "environ").split("\0")


def _read(process: int, name: str) -> str:
    try:
        return Path("/proc", str(process), name).read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _megabytes(process: int, name: str) -> float:
    status = _read(process, "status")
    found = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
    return int(found[1]) * 1.024 / 1000 if found else 0.0
