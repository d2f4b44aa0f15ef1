"""The store under load, SQLite and PostgreSQL side by side.

`python -m tests.benchmarks.store_load [--runs 100] [--readers 50] [--each 10]`: so many
runs learn at once for 20 seconds, and each stores so many values a second as a worker
does: twice a second, with a sign of life, in one transaction. Readers look at a
run each once a second as a page does: its row, and the values that are newer than the
last they saw. All are threads of eight processes; each run has a connection of its own,
as its worker has, and the readers share those of three servers. PostgreSQL is Debian's
with its own settings, so that all is on the disk before a write is done; SQLite's is as
the app sets it.

Wanted: no row lost, and 99 of 100 writes done within 100 ms.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from tests import postgres
from tests.benchmarks import bench
from transfer.config import TrainConfig
from transfer.store.record import Metric
from transfer.store.runs import Store

DATABASES = ("sqlite", "postgresql")
#: Milliseconds within which 99 of 100 writes are to be done.
WANTED = 100.0
#: Processes that write, and that read; seconds between two writes and two looks.
WRITERS, READERS, FLUSH, LOOK = 5, 3, 0.5, 1.0


def main() -> None:
    """Prints the table and writes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--each", type=float, default=10.0, help="values a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--ids", nargs="*", default=[], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        print(json.dumps(work(args)))
        return
    rows = []
    for name in DATABASES:
        with tempfile.TemporaryDirectory() as folder, using(name, Path(folder)):
            rows.append({"database": name, **measure(args)})
    bench.tell("store_load", rows, wanted_ms=WANTED, options=vars(args))


@contextmanager
def using(name: str, folder: Path) -> Iterator[None]:
    """A new store in this database, for this process and those that it starts."""
    os.environ["TRANSFER_HOME"] = str(folder / "workspace")
    os.environ.pop("TRANSFER_DATABASE_URL", None)
    if name == "sqlite":
        yield
        return
    with postgres.running(quick=False) as server:
        os.environ["TRANSFER_DATABASE_URL"] = server.url
        yield


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """What became of the writes and looks of all processes."""
    with closing(Store()) as store:
        ids = []
        for _ in range(args.runs):
            store.create(TrainConfig(dataset="flowers", backbone="mobilenet_v2"))
            run = store.claim_next("here", {("run",): args.runs})
            assert run
            ids.append(run.id)
        looked_at = [ids[number % len(ids)] for number in range(args.readers)]
        parts = [start(args, "write", ids[one::WRITERS]) for one in range(WRITERS)]
        parts += [
            start(args, "read", looked_at[one::READERS]) for one in range(READERS)
        ]
        for part in parts:  # all at once, when all have imported what they need
            assert part.stdout and part.stdout.readline()
        for part in parts:
            assert part.stdin
            part.stdin.write("go\n")
            part.stdin.flush()
        found = [json.loads(part.communicate()[0]) for part in parts]
        stored = sum(len(store.metrics.after(run)) for run in ids)
    writes, looks = ms(found[:WRITERS]), ms(found[WRITERS:])
    told = sum(sum(part["values"]) for part in found[:WRITERS])
    return {
        "values": told,
        "lost": told - stored,
        "out of order": sum(len(part["wrong"]) for part in found[WRITERS:]),
        "writes/s": round(len(writes) / args.seconds, 1),
        "write ms: median / 99 % / longest": spread(writes),
        "look ms": spread(looks),
    }


def start(
    args: argparse.Namespace, part: str, ids: Sequence[str]
) -> subprocess.Popen[str]:
    """A process that does a part of the writing or reading."""
    words = ["--part", part, "--each", str(args.each), "--seconds", str(args.seconds)]
    command = [sys.executable, "-m", "tests.benchmarks.store_load", *words, "--ids"]
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, *ids], stdin=pipe, stdout=pipe, text=True)


def work(args: argparse.Namespace) -> dict[str, Any]:
    """What one process did: seconds of each write or look, and values."""
    did: dict[str, Any] = {"seconds": [], "values": [], "wrong": []}
    one = write if args.part == "write" else read
    with contextlib.ExitStack() as stack:
        # Each run's worker is a process of its own; all pages of a server share one.
        count = len(args.ids) if args.part == "write" else 1
        stores = [stack.enter_context(closing(Store())) for _ in range(count)]
        print("ready", flush=True)
        sys.stdin.readline()
        threads = [
            threading.Thread(target=one, args=(args, store, run, did, number))
            for number, (store, run) in enumerate(zip(cycle(stores), args.ids))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return did


def write(
    args: argparse.Namespace, store: Store, run: str, did: dict[str, Any], number: int
) -> None:
    """Tells the values of one run, as its worker would."""
    claim, step, due = store.get(run).started_at, 0, 0.0

    def flush() -> None:
        nonlocal step, due
        due += args.each * FLUSH
        rows = []
        while due >= 1:
            due, step = due - 1, step + 1
            rows.append(
                Metric(phase="head", epoch=1, step=step, name="loss", value=1.0)
            )
        store.metrics.tell(run, rows, {"phase": "head", "step": step}, claim)

    regularly(args.seconds, FLUSH, number, did, flush)
    did["values"].append(step)


def read(
    args: argparse.Namespace, store: Store, run: str, did: dict[str, Any], number: int
) -> None:
    """Looks at one run, as its page does; each step must follow the one before."""
    last = step = 0

    def look() -> None:
        nonlocal last, step
        store.get(run)
        for one in store.metrics.after(run, last):
            if one.step != step + 1:
                did["wrong"].append(one.id)
            last, step = one.id, one.step or 0

    regularly(args.seconds, LOOK, number, did, look)


def regularly(
    seconds: float,
    pause: float,
    number: int,
    did: dict[str, Any],
    do: Callable[[], None],
) -> None:
    """Does it every so many seconds, not all at the same moment, and notes how long."""
    begin = time.perf_counter() + pause * (number * 0.618 % 1)
    for turn in range(int(seconds / pause)):
        time.sleep(max(0.0, begin + turn * pause - time.perf_counter()))
        start = time.perf_counter()
        do()
        did["seconds"].append(time.perf_counter() - start)


def ms(parts: Sequence[dict[str, Any]]) -> list[float]:
    """Milliseconds of all that these processes did."""
    return [1000 * seconds for part in parts for seconds in part["seconds"]]


def spread(values: Sequence[float]) -> str:
    """Median, 99 of 100 and longest."""
    found = [*np.percentile(values, [50, 99]), max(values)]
    return " / ".join(f"{one:.1f}" for one in found)


if __name__ == "__main__":
    main()
