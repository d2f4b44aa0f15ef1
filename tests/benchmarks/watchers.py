"""What watching costs: 20 sessions look at a run while it trains, and after its end.

    python -m tests.benchmarks.watchers [--sessions 20] [--seconds 30] [--rounds 3]

The sessions are clients that do as a browser does: they open the run's page, ask for
its fragments as often as the server told them to, and once a second for what is new. A
stretch begins once they have it open. Stretches with and without them alternate within
one run, so that another load on the machine hits both. With 3 rounds of 30 s it takes
8 minutes.
Wanted: less than 3 % of a core for each session while nothing changes, and training
that is slowed by less than 3 %.
"""

import argparse
import asyncio
import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.benchmarks import bench
from tests.pictures import make_pictures
from transfer.runs import queue
from transfer.store.runs import Store

TRAINING = [
    *("--backbone", "mobilenet_v2_035", "--weights", "random", "--image-size", "96"),
    *("--freeze", "last:3", "--head-epochs", "1", "--fine-tune-epochs", "1000"),
]

#: Pictures; with fewer the run might end before the last stretch does.
PICTURES = {"cat": 500, "dog": 500}
#: Where a session asks for what is new, with its signature of 64 digits.
_NEWS = re.compile(rb"/api/live/\w+\.\d+\.[0-9a-f]{64}")
#: Seconds until all sessions have opened the page.
OPENING = 5.0


class Session:
    """One visitor of a run's page.

    Attributes:
        ticks: Fragments and news that were asked for until now.
    """

    def __init__(self, port: int, run: str) -> None:
        self._port = port
        self._news: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._query, self._page = f"run={run}", ""
        self._every: dict[str, float] = {}
        self._next: dict[str, float] = {}
        self.ticks = 0

    async def watch(self) -> None:
        """Opens the page and stays until it is cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._follow())
            both.create_task(self._ask())

    async def _ask(self) -> None:
        """Asks for what is new over one connection, as `live.js` does."""
        path, tag = await self._news, b""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while True:
            known = b"If-None-Match: %b\r\n" % tag if tag else b""
            asked = b"GET %b HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % (path, known)
            writer.write(asked)
            told = (await reader.readuntil(b"\r\n\r\n")).lower()
            if not told.startswith((b"http/1.1 200", b"http/1.1 304")):
                raise RuntimeError(told.decode())
            if length := re.search(rb"content-length: (\d+)", told):
                content = await reader.readexactly(int(length[1]))
                if not tag and "tiles" not in json.loads(gzip.decompress(content)):
                    return  # of a run that has ended a browser asks only once
            if found := re.search(rb"etag: (\S+)", told):
                tag = found[1]
            self.ticks += 1
            await asyncio.sleep(1.0)

    async def _follow(self) -> None:
        async with websockets.connect(
            f"ws://127.0.0.1:{self._port}/_stcore/stream",
            subprotocols=["streamlit"],
            max_size=None,
        ) as socket_:
            await socket_.send(self._message(""))
            while True:
                now = time.monotonic()
                for fragment in [f for f, at in self._next.items() if at <= now]:
                    await socket_.send(self._message(fragment))
                    self._next[fragment] = now + self._every[fragment]
                    self.ticks += 1
                pause = min(self._next.values(), default=now + 5.0) - now
                # Python 3.11's `wait_for` now and then takes no notice of a cancel.
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(pause, 0.01)):
                        self._hear(await socket_.recv())

    def _message(self, fragment: str) -> bytes:
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.page_script_hash = self._page
        message.rerun_script.page_name = "" if self._page else "runs"
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = bool(fragment)
        return bytes(message.SerializeToString())

    def _hear(self, received: bytes) -> None:
        if not self._news.done() and (found := _NEWS.search(received)):
            self._news.set_result(found[0])
        message = ForwardMsg.FromString(received)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:
                self._every.clear()
                self._next.clear()
        elif kind == "auto_rerun":
            told = message.auto_rerun
            self._every[told.fragment_id] = told.interval
            self._next.setdefault(told.fragment_id, time.monotonic() + told.interval)


async def measure_stretch(
    server: psutil.Process, port: int, store: Store, run: str, sessions: int, s: float
) -> dict[str, Any]:
    """Server CPU and training steps a second over a stretch of so many seconds."""
    visitors = [Session(port, run) for _ in range(sessions)]
    tasks = [asyncio.create_task(one.watch()) for one in visitors]

    def until_now() -> tuple[float, ...]:
        ticks = sum(one.ticks for one in visitors)
        return time.monotonic(), _cpu(server), store.metrics.count_done(run)[0], ticks

    # The first load of a page costs much more than watching it.
    await asyncio.sleep(OPENING)
    before = until_now()
    await asyncio.sleep(s)
    seconds, *passed = np.subtract(until_now(), before)
    for task in tasks:
        task.cancel()
    for error in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(error, asyncio.CancelledError):
            raise RuntimeError("a session was cut off") from error
    names = ("server_cpu", "steps_per_second", "ticks_per_second")
    each = {name: one / seconds for name, one in zip(names, passed, strict=True)}
    return {"sessions": sessions, **each}


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def serving(folder: Path) -> Iterator[tuple[psutil.Process, int]]:
    """The app's process and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.port", str(port), "--server.headless", "true"]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *options],
            cwd=bench.ROOT,
            env=bench.environment(folder),
            stdout=log,
            stderr=log,
        )
    try:
        _wait(lambda: _answers(port), "the server did not start")
        yield psutil.Process(process.pid), port
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    health = f"http://127.0.0.1:{port}/_stcore/health"
    try:
        with urllib.request.urlopen(health, timeout=1):  # noqa: S310
            return True
    except (OSError, urllib.error.URLError):
        return False


def _wait(is_so: Any, otherwise: str, seconds: float = 300.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            sys.exit(otherwise)
        time.sleep(0.1)


def mean(rows: list[dict[str, Any]], sessions: int, key: str) -> float:
    """The mean of a column over the stretches with so many sessions."""
    values = [row[key] for row in rows if row["sessions"] == sessions]
    return float(sum(values) / len(values))


def summary(rows: list[dict[str, Any]], state: str, sessions: int) -> dict[str, Any]:
    """One line of the table: what so many sessions cost against none."""
    alone, with_them = (mean(rows, n, "server_cpu") for n in (0, sessions))
    line: dict[str, Any] = {
        "state": state,
        "sessions": sessions,
        "server_cpu_percent": 100 * with_them,
        "cpu_percent_per_session": 100 * (with_them - alone) / sessions,
        "ticks_per_second": mean(rows, sessions, "ticks_per_second"),
    }
    if state == "training":
        speeds = [mean(rows, n, "steps_per_second") for n in (0, sessions)]
        line |= {"steps_per_second_alone": speeds[0], "steps_per_second": speeds[1]}
        line["slowed_percent"] = 100 * (1 - speeds[1] / speeds[0])
    return line


def main() -> None:
    """Prints the table and writes it."""
    words = argparse.ArgumentParser(description="What watching a run costs")
    words.add_argument("--sessions", type=int, default=20)
    words.add_argument("--seconds", type=float, default=30.0)
    words.add_argument("--rounds", type=int, default=3)
    given = words.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="watchers-"))
    try:
        lines = measure(folder, given.sessions, given.seconds, given.rounds)
        bench.tell("watchers", lines, load_average=os.getloadavg()[0])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(
    folder: Path, sessions: int, seconds: float, rounds: int
) -> list[dict[str, Any]]:
    """The lines of the table: while the run trains, and after its end."""
    os.environ |= bench.environment(folder)
    make_pictures(folder / "pets", PICTURES)
    bench.transfer(folder, "import", str(folder / "pets"), "--name", "pets")
    store = Store()
    order = [n for i in range(rounds) for n in ((0, sessions), (sessions, 0))[i % 2]]
    with serving(folder) as (server, port):

        def stretch(sessions: int) -> dict[str, Any]:
            measured = measure_stretch(server, port, store, run, sessions, seconds)
            return asyncio.run(measured)

        detached = ["--dataset", "pets", "--detach"]
        run = bench.transfer(folder, "train", *detached, *TRAINING)["run"]
        _wait(
            lambda: (
                store.get(run).progress.get("phase") == "fine_tune"
                or store.get(run).status.is_final
            ),
            "the run did not come to its fine-tuning",
        )
        training, ended = [], []
        for one in order:
            training.append(stretch(one))
        if store.get(run).status.is_final:
            sys.exit(f"The run ended too soon: {store.get(run).error}")
        # The same page after the end, when nothing is new any more.
        queue.stop(store, run)
        _wait(lambda: store.get(run).status.is_final, "the run did not stop")
        for one in order:
            ended.append(stretch(one))
    store.close()
    return [summary(training, "training", sessions), summary(ended, "ended", sessions)]


if __name__ == "__main__":
    main()
