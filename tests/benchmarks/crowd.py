"""Twenty people press Rank, Export and Evaluate at once, while a run trains.

`python -m tests.benchmarks.crowd [--sessions 20] [--training 30]`: a server as the
README starts it, without a worker in spare, and a run that trains until so many seconds
after the buttons were pressed. Each session is a client that does as a browser does: it
opens a page in a connection of its own, finds the button there, and presses it when all
others do. Each has a dataset or a run of its own, as two who ask for the same get the
same job. Twice a second a prediction is asked for, as the page Predict does.

Wanted: no more processes at work than the limit (`TRANSFER_MAX_RUNNING`, 1 if not set),
a place in the queue for every session, and no prediction that takes a second.
"""

import argparse
import asyncio
import os
import re
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.benchmarks import bench
from tests.benchmarks.watchers import serving
from tests.patience import wait_for
from tests.pictures import make_pictures
from transfer import workspace
from transfer.advice import candidates
from transfer.datasets.ingest import importer
from transfer.export import orders
from transfer.prediction.client import InferenceProcess
from transfer.runs import queue, requests
from transfer.runs.requests import Request
from transfer.store.record import Job, Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus

PICTURES = {"cat": 60, "dog": 60, "fox": 60}
#: Of what is trained beforehand, and of what goes on meanwhile until it is stopped.
INSTANT = ("--method", "instant")
ENDLESS = ("--freeze", "last:2", "--fine-tune-epochs", "1000")
#: How a page says where a job stands in the queue.
PLACE = re.compile(rb"umber \d+ in the queue")
#: Seconds between two predictions, and between two looks at processes and jobs.
EVERY, LOOK = 0.5, 0.2
#: Seconds of predictions before the buttons are pressed, and for all to be done.
BEFORE, PATIENCE = 15.0, 1800.0


class Task(NamedTuple):
    """What one session asks for.

    Attributes:
        page: Its path in the address.
        query: What the address says besides.
        button: Beginning of the button's label.
        request: The job that comes of it.
    """

    page: str
    query: str
    button: str
    request: Request


class Session:
    """One visitor of a page.

    Attributes:
        saw_place: Whether the page has told a place in the queue.
    """

    def __init__(self, port: int, task: Task) -> None:
        self._port, self._task = port, task
        self._page = ""
        self._button: tuple[str, str] | None = None
        self._every: dict[str, float] = {}
        self._next: dict[str, float] = {}
        self.saw_place = False

    async def visit(self, together: asyncio.Barrier) -> None:
        """Opens the page, presses the button with all others, and looks on."""
        async with websockets.connect(
            f"ws://127.0.0.1:{self._port}/_stcore/stream",
            subprotocols=["streamlit"],
            max_size=None,
        ) as server:
            await server.send(self._message())
            while self._button is None:
                self._hear(await server.recv())
            await together.wait()  # all have the page open
            await together.wait()
            button, fragment = self._button
            await server.send(self._message(fragment, button))
            while True:
                await self._look_on(server)

    async def _look_on(self, server: Any) -> None:
        """Hears what comes, and asks for each fragment as often as it was told to."""
        now = time.monotonic()
        for fragment in [one for one, at in self._next.items() if at <= now]:
            await server.send(self._message(fragment))
            self._next[fragment] = now + self._every[fragment]
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                self._hear(await server.recv())

    def _message(self, fragment: str = "", button: str = "") -> bytes:
        message = BackMsg()
        message.rerun_script.query_string = self._task.query
        message.rerun_script.page_script_hash = self._page
        message.rerun_script.page_name = "" if self._page else self._task.page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = bool(fragment) and not button
        if button:
            widget = message.rerun_script.widget_states.widgets.add()
            widget.id, widget.trigger_value = button, True
        return bytes(message.SerializeToString())

    def _hear(self, received: str | bytes) -> None:
        content = received.encode() if isinstance(received, str) else received
        self.saw_place = self.saw_place or bool(PLACE.search(content))
        message = ForwardMsg.FromString(content)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            if not message.metadata.run.fragment_ids:
                self._every.clear()
                self._next.clear()
        elif kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "auto_rerun":
            told = message.auto_rerun
            self._every[told.fragment_id] = told.interval
            self._next.setdefault(told.fragment_id, time.monotonic() + told.interval)
        elif kind == "delta":
            button = message.delta.new_element.button
            if button.label.startswith(self._task.button):
                self._button = button.id, message.delta.fragment_id


class Meter:
    """Predictions and processes, measured in threads from its making to its end.

    Attributes:
        predictions: When each was asked for, and the seconds that it took.
        at_work: When it was looked, what the processes at work do, and their memory in
            bytes.
    """

    def __init__(self, run: Run, picture: bytes) -> None:
        self.predictions: list[tuple[float, float]] = []
        self.at_work: list[tuple[float, list[str], int]] = []
        self._over = threading.Event()
        self._inference = InferenceProcess()
        for _ in range(3):  # the first loads the model, and more
            self._inference.predict(run.id, [picture])
        self._threads = ThreadPoolExecutor(2)
        self._tasks = [
            self._threads.submit(self._predict, run.id, picture),
            self._threads.submit(self._look),
        ]

    def close(self) -> None:
        """Ends the threads; what went wrong in one of them is raised."""
        self._over.set()
        self._threads.shutdown()
        self._inference.close()
        for task in self._tasks:
            task.result()

    def line(self, stage: str, since: float, until: float) -> dict[str, Any]:
        """A line of the table: what was measured in this time."""
        took = [taken for at, taken in self.predictions if since <= at < until]
        seen = [one for one in self.at_work if since <= one[0] < until]
        most = max((one[1] for one in seen), key=len)
        return {
            "stage": stage,
            "seconds": until - since,
            "predictions": len(took),
            "median, ms": 1000 * statistics.median(took),
            "slowest, ms": 1000 * max(took),
            "took a second": sum(one >= 1 for one in took),
            "most at work": len(most),
            "their memory, GB": max(one[2] for one in seen) / 1e9,
            "they are": ", ".join(f"{n} {what}" for what, n in Counter(most).items()),
        }

    def _predict(self, run: str, picture: bytes) -> None:
        while not self._over.is_set():
            start = time.monotonic()
            self._inference.predict(run, [picture])
            taken = time.monotonic() - start
            self.predictions.append((start, taken))
            self._over.wait(max(EVERY - taken, 0.0))

    def _look(self) -> None:
        while not self._over.wait(LOOK):
            found = {
                one.pid: work for one in psutil.process_iter() if (work := work_of(one))
            }
            # One that is about to become another program still has its parent's name.
            own = [one for one in found.values() if one.parent not in found]
            memory = sum(one.memory for one in own)
            self.at_work.append((time.monotonic(), [one.does for one in own], memory))


class Work(NamedTuple):
    """A process at work: what it does, its memory in bytes, and its parent's number."""

    does: str
    memory: int
    parent: int


def work_of(process: psutil.Process) -> Work | None:
    """What a process of this workspace does, if that is long work."""
    with suppress(psutil.Error, OSError):
        command = process.cmdline()
        if "-m" not in command[:-2]:
            return None
        module, word = command[command.index("-m") + 1 :][:2]
        is_ours = module.split(".")[0] == "transfer" and "prediction" not in module
        home = process.environ().get("TRANSFER_HOME")
        if is_ours and home == os.environ["TRANSFER_HOME"]:
            # Our command line says what it does after its name, a worker in its name.
            does = word if module == "transfer" else module
            return Work(does, int(process.memory_info().rss), process.ppid())
    return None


def main() -> None:
    """Prints the tables and writes them."""
    words = argparse.ArgumentParser(description="What a crowd does to the server")
    words.add_argument("--sessions", type=int, default=20)
    words.add_argument("--training", type=float, default=30.0)
    given = words.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="crowd-"))
    os.environ |= bench.environment(folder) | {"TRANSFER_SPARE_WORKER": "0"}
    store = Store()
    try:
        run = prepare(folder, store)
        tasks = [task(folder, store, run, n) for n in range(given.sessions)]
        picture = next((folder / "pets").rglob("*.png")).read_bytes()
        with closing(Meter(run, picture)) as meter, serving(folder) as (_, port):
            visits = crowd(store, meter, tasks, port, given.training)
            rows, facts = asyncio.run(visits)
        bench.tell("crowd", rows, **facts, load_average=os.getloadavg()[0])
        print(*(f"{name}: {value}" for name, value in facts.items()), sep="\n")
    finally:
        store.close()
        shutil.rmtree(folder, ignore_errors=True)


def prepare(folder: Path, store: Store) -> Run:
    """A run that has a model."""
    make_pictures(folder / "pets", PICTURES)
    bench.transfer(folder, "import", str(folder / "pets"), "--name", "pets")
    told = bench.transfer(folder, "train", "--dataset", "pets", *INSTANT)
    return store.get(told["run"])


def task(folder: Path, store: Store, run: Run, number: int) -> Task:
    """What the session of this number asks for, with what it needs for that."""
    kind = number % 3
    if kind == 0:
        name = f"pets-{number}"
        make_pictures(folder / name, PICTURES, seed=1 + number)
        revision = importer.import_path(folder / name, name)
        request = candidates.request(revision, [], "imagenet")
        return Task("model", f"dataset={name}", "Rank", request)
    own = copy_of(store, run)
    if kind == 1:
        request = orders.request(own, "keras", "none")
        return Task("export", f"run={own.id}", "Export", request)
    request = requests.evaluate(own.id, "val")
    return Task("evaluate", f"run={own.id}", "Evaluate on", request)


def copy_of(store: Store, run: Run) -> Run:
    """A run that has ended like this one, with the same model."""
    copy = store.create(run.config)
    store.transition(copy.id, JobStatus.RUNNING, started_at=time.time())
    source = workspace.home() / "runs" / run.id / "model.keras"
    shutil.copy(source, workspace.folder("runs", copy.id))
    return store.finish(copy.id, JobStatus.COMPLETED, run.result)


async def crowd(
    store: Store, meter: Meter, tasks: Sequence[Task], port: int, training: float
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The lines of the table, and what there is to say besides."""
    run = begin_training(store)
    together = asyncio.Barrier(len(tasks) + 1)
    sessions = [Session(port, one) for one in tasks]
    visits = [asyncio.create_task(one.visit(together)) for one in sessions]
    await together.wait()
    open_at = time.monotonic()
    await asyncio.sleep(BEFORE)
    await together.wait()
    pressed = time.monotonic()
    await asyncio.sleep(training)
    await asyncio.to_thread(queue.stop, store, run.id)
    if idle := [one.button for one in tasks if find(store, one) is None]:
        sys.exit(f"Nothing came of {', '.join(idle)}.")
    ended: Counter[str] = Counter()
    while ended.total() < len(tasks) and time.monotonic() < pressed + PATIENCE:
        await asyncio.sleep(LOOK)
        ended = await asyncio.to_thread(ends, store, tasks)
    done = time.monotonic()
    for visit in visits:
        visit.cancel()
    for error in await asyncio.gather(*visits, return_exceptions=True):
        if not isinstance(error, asyncio.CancelledError):
            raise RuntimeError("a session was cut off") from error
    rows = [
        meter.line("a run trains", open_at, pressed),
        meter.line("all have pressed", pressed, done),
    ]
    return rows, {
        "sessions": len(tasks),
        "that saw their place in the queue": sum(one.saw_place for one in sessions),
        "how their jobs ended": dict(ended),
        "seconds until all had ended": round(done - pressed, 1),
    }


def begin_training(store: Store) -> Run:
    """A run that trains by now, and goes on until it is stopped."""
    words = bench.transfer(
        workspace.home().parent, "train", "--dataset", "pets", "--detach", *ENDLESS
    )
    run = store.get(words["run"])
    wait_for(lambda: store.get(run.id).progress.get("phase"))
    return run


def find(store: Store, task: Task) -> Job | None:
    """The job that came of what a session asked for."""
    return store.find(task.request.kind, task.request.subject)


def ends(store: Store, tasks: Sequence[Task]) -> Counter[str]:
    """How many jobs have ended, by how they ended."""
    found = [find(store, one) for one in tasks]
    return Counter(str(one.status) for one in found if one and one.status.is_final)


if __name__ == "__main__":
    main()
