"""A workshop begins: all open the app within seconds, and all take the sample at once.

`python -m tests.benchmarks.beginning [--people 20] [--within 10]`: a fresh server as a
workshop has it. Each person opens the first page, by Streamlit's own protocol
(`visitor`), looks for a second, and clicks the sample, whose images are made, checked
and split by a job of theirs. Told is how long the page took, and how long it took until
each has the dataset.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil

from tests.benchmarks import bench
from tests.benchmarks.visitor import Visitor
from tests.benchmarks.watchers import serving
from transfer.people import sessions
from transfer.store.people import Person, Role
from transfer.store.runs import Store

#: Seconds that somebody reads the first page, and that all may wait.
READS, PATIENCE = 1.0, 600.0
#: The button, and what the page says once the dataset is there.
SAMPLE, THERE = "Use gearwheels", "came in"


class Beginning(NamedTuple):
    """Seconds of one person: until the page stood, until the click was answered, from
    the click until the dataset was there.
    """

    opened: float
    answered: float
    there: float


async def begin(visitor: Visitor, wait: float) -> Beginning:
    """One person's first minute."""
    await asyncio.sleep(wait)
    opened = await visitor.open("start")
    await asyncio.sleep(READS)
    start = time.monotonic()
    answered = await visitor.click("button", SAMPLE)
    async with asyncio.timeout(PATIENCE):
        while not visitor.says(THERE):
            await asyncio.sleep(0.1)
    return Beginning(opened, answered, time.monotonic() - start)


async def all_begin(
    port: int, store: Store, people: list[Person], within: float
) -> tuple[list[Beginning], list[str]]:
    """What each met, and what went wrong."""
    visitors = [
        Visitor(
            port, {sessions.COOKIE: sessions.cookie_for(sessions.begin(store, one))}
        )
        for one in people
    ]
    met: list[Beginning] = []

    async def visit(visitor: Visitor, wait: float) -> None:
        met.append(await begin(visitor, wait))

    waits = np.random.default_rng(0).uniform(0, within, len(people))
    visits = zip(visitors, waits, strict=True)
    await asyncio.gather(*(one.stay(visit(one, wait)) for one, wait in visits))
    return met, [error for one in visitors for error in one.errors]


def _person(store: Store, name: str) -> Person:
    made = store.people.add(subject=f"name:{name}", name=name, role=Role.PARTICIPANT)
    assert made
    return made


def main() -> None:
    """Prints the table and writes it."""
    words = argparse.ArgumentParser(description="A workshop begins")
    words.add_argument("--people", type=int, default=20)
    words.add_argument("--within", type=float, default=10.0, help="seconds")
    given = words.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="beginning-"))
    os.environ |= bench.environment(folder) | {"TRANSFER_AUTH": "workshop"}
    try:
        store = Store()
        people = [_person(store, f"Person {n}") for n in range(given.people)]
        with serving(folder) as (server, port):
            met, errors = asyncio.run(all_begin(port, store, people, given.within))
            facts = _facts(server, errors)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rows = [_row(name, [getattr(one, name) for one in met]) for name in met[0]._fields]
    bench.tell("beginning", rows, **facts, load_average=os.getloadavg()[0])
    print(*(f"{name}: {value}" for name, value in facts.items()), sep="\n")


def _facts(server: psutil.Process, errors: list[str]) -> dict[str, Any]:
    times = server.cpu_times()
    return {
        "errors": errors,
        "seconds of processor, server": times.user + times.system,
        "of what it started": times.children_user + times.children_system,
    }


def _row(what: str, seconds: list[float]) -> dict[str, Any]:
    return {
        "what": what,
        "median, s": statistics.median(seconds),
        "p95, s": float(np.quantile(seconds, 0.95)),
        "slowest, s": max(seconds),
    }


if __name__ == "__main__":
    main()
