"""What is lost when all goes wrong: kills, a full disk, a locked store, a set clock.

`python -m tests.benchmarks.chaos [--times 20] [--only worker,server,...] [--runs 1]`:
each kind so many times, in a workspace of its own, with imports, corrections and new
runs as the work. What somebody is told is done comes into a ledger; after each time the
workspace is held against it: all datasets of the ledger are whole by their hashes, all
runs of it are there, and every job has ended, true to what lies on the disk.

A kill ends a server as the README starts it, the process of a job, or both, at some
moment while an import goes on. With `--runs` each kind goes wrong so many times more
while a run trains; it goes on then, or is resumed, and completes. The disk is a
tmpfs of 400 MB which fills at a random moment; only root can mount it.
"""

import argparse
import contextlib
import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import psutil

from tests.benchmarks import bench
from tests.benchmarks.watchers import serving
from tests.patience import wait_for
from tests.pictures import make_pictures
from transfer import processes, workspace
from transfer.config import TrainConfig
from transfer.datasets import editing, library
from transfer.datasets.ingest import importer
from transfer.errors import StorageError, TransferError
from transfer.features.cache import Shelf
from transfer.runs import queue, requests
from transfer.runs.supervisor import Supervisor
from transfer.store import drivers
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.upkeep import trash

#: Pictures of each class that an import brings, and of one that is killed: enough
#: to be met in its midst.
FEW, MANY = 30, 150
#: Seconds after the work began, at most, at which something goes wrong.
WITHIN = 1.5
#: Of the disk that fills.
DISK_MB = 400


class Ledger:
    """What somebody was told is done."""

    def __init__(self) -> None:
        self.datasets: dict[str, str] = {}
        self.runs: set[str] = set()
        self.refused = self.lost = 0

    def check(self) -> None:
        """Counts it where something is lost, and says what."""
        try:
            self._look()
        except (AssertionError, OSError, TransferError) as error:
            self.lost += 1
            print(f"LOST: {type(error).__name__}: {error}", flush=True)

    def _look(self) -> None:
        for name, revision in self.datasets.items():
            found = library.load(name, revision)
            check_images(found.images)
        for one in library.list_datasets():  # and nothing is there by half
            check_images(one.images)
        with closing(Store()) as store:
            missing = self.runs - store.which_exist(self.runs)
            assert not missing, f"runs are gone: {missing}"
            # What a run leaves to be done when nothing else waits has a process.
            wait_for(lambda: not without_process(store))
        with closing(sqlite3.connect(workspace.home() / "store.sqlite")) as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def without_process(store: Store) -> list[str]:
    """Jobs that count as at work, and are not."""
    return [
        job.id
        for job in store.active()
        if not processes.find(job.pid, job.pid_started_at, job.id)
    ]


def check_images(images: Any) -> None:
    for one in images:
        content = library.image_path(one.sha256).read_bytes()
        assert hashlib.sha256(content).hexdigest() == one.sha256, one.path


def ask_for_import(store: Store, source: Path, name: str) -> str:
    return queue.ask(store, requests.import_(source, name)).id


def take_note(ledger: Ledger, store: Store, job_id: str, name: str) -> str:
    """How an import ended; what is told as completed comes into the ledger."""
    job = store.get_job(job_id)
    assert job.status.is_final, job.status
    if job.status is JobStatus.COMPLETED:
        ledger.datasets[name] = job.result["revision"]
    return str(job.status)


def workers_of(store: Store) -> list[psutil.Process]:
    found = []
    for job in store.active():
        with contextlib.suppress(psutil.NoSuchProcess, TypeError):
            found.append(psutil.Process(job.pid))
    return found


def kill(doomed: list[psutil.Process]) -> None:
    for one in doomed:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.send_signal(signal.SIGKILL)


def wait_for_end(store: Store, job_id: str) -> JobStatus:
    return wait_for(lambda: store.get_job(job_id).status.is_final) and (
        store.get_job(job_id).status
    )


class Server:
    """The app, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._stack = folder, contextlib.ExitStack()
        self.start()

    def start(self) -> None:
        self._stack.close()
        self.process, _ = self._stack.enter_context(serving(self._folder))

    def close(self) -> None:
        self._stack.close()


def kill_some(kind: str, server: Server, store: Store) -> None:
    """Kills what the kind says; a server is started again."""
    doomed = [server.process] if kind in ("server", "both") else []
    kill(doomed + (workers_of(store) if kind in ("worker", "both") else []))
    if doomed:
        server.start()


def killed(kind: str, times: int, runs: int, folder: Path, source: Path) -> Any:
    """Kills of a server, a worker or both, at a random moment of the work."""
    ledger, ends = Ledger(), list[str]()
    with closing(Store()) as store, closing(Server(folder)) as server:
        for number in range(times):
            name = f"{kind} {number}"
            job_id = ask_for_import(store, source, name)
            wait_for_work(store, job_id)
            time.sleep(random.uniform(0, WITHIN))  # noqa: S311
            kill_some(kind, server, store)
            wait_for_end(store, job_id)
            ends.append(take_note(ledger, store, job_id, name))
            ledger.check()
        for number in range(runs):
            run_id = train(store, ledger, source, f"{kind} to train {number}")
            kill_some(kind, server, store)
            ends += end_well(store, ledger, run_id)
    return ledger, ends


def end_well(store: Store, ledger: Ledger, run_id: str) -> list[str]:
    """How a run ended, and how once it was resumed; in the end it is complete."""
    ends = [f"run {wait_for_end(store, run_id)}"]
    run = store.get(run_id)
    if run.status is not JobStatus.COMPLETED:
        assert run.error.get("message"), run
        queue.resume(store, run_id)
        ends.append(f"run {wait_for_end(store, run_id)} once resumed")
    assert store.get(run_id).status is JobStatus.COMPLETED, store.get(run_id).error
    ledger.check()
    return ends


def wait_for_work(store: Store, job_id: str) -> None:
    wait_for(lambda: store.get_job(job_id).pid)


def train(
    store: Store,
    ledger: Ledger,
    source: Path,
    name: str,
    look: Callable[[], None] = lambda: None,
) -> str:
    """A run that trains now.

    Args:
        look: What starts it, where no server does.
    """
    revision = importer.import_path(source, name)
    config = TrainConfig.of(
        **{"dataset": name, "revision": revision.id, "weights": "random"},
        **{"backbone": "mobilenet_v2_035", "image_size": 32, "head_epochs": 200},
    )
    run = store.create(config)
    ledger.datasets[name] = revision.id
    ledger.runs.add(run.id)
    wait_for(lambda: look() or store.metrics.of_epochs(run.id))
    return run.id


def worker(times: int, runs: int, folder: Path, source: Path) -> Any:
    """kill -9 of the process of a job."""
    return killed("worker", times, runs, folder, source)


def server(times: int, runs: int, folder: Path, source: Path) -> Any:
    """kill -9 of the server."""
    return killed("server", times, runs, folder, source)


def both(times: int, runs: int, folder: Path, source: Path) -> Any:
    """kill -9 of the server and of the processes of jobs."""
    return killed("both", times, runs, folder, source)


def work(ledger: Ledger, store: Store, source: Path, name: str) -> None:
    """An import, a correction and a new run; what is refused is counted."""
    with told_in_words(ledger):
        ledger.datasets[name] = importer.import_path(source, name).id
        first = library.load(name).images[0]
        changed = editing.leave_out(name, [first.sha256], "for a try")
        ledger.datasets[name] = changed.id
    with told_in_words(ledger):
        run = store.create(TrainConfig(dataset=name))
        ledger.runs.add(run.id)
        store.request_stop(run.id)


@contextlib.contextmanager
def told_in_words(ledger: Ledger) -> Iterator[None]:
    """Whatever fails must say what a person can mend."""
    try:
        yield
    except StorageError:
        ledger.refused += 1


def disk(times: int, runs: int, folder: Path, source: Path) -> Any:
    """A disk that fills at a random moment, and is freed again."""
    ledger, home, ends = Ledger(), workspace.folder(), list[str]()
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "none", str(home)]
    if os.geteuid() or subprocess.run(mounted, check=False).returncode:
        sys.exit("The disk that fills is a tmpfs, which root alone can mount.")
    try:
        with closing(Store()) as store:
            for number in range(times):
                ballast = home / "tmp-ballast"
                moment = random.uniform(0, WITHIN)  # noqa: S311
                filling = threading.Timer(moment, fill, [ballast])
                filling.start()
                work(ledger, store, source, f"disk {number}")
                filling.join()
                work(ledger, store, source, f"disk {number} full")
                ballast.unlink()
                ledger.check()
                for one in library.all_names():  # or the small disk is full for good
                    if one != f"disk {number}":
                        trash.remove(store, trash.put_dataset(store, one).id)
                        ledger.datasets.pop(one, None)
            ends = in_training(
                *("disk", runs, folder, source, store, ledger),
                lambda: full_for_a_while(home / "tmp-ballast"),
            )
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)
    return ledger, ends


def in_training(
    kind: str,
    runs: int,
    folder: Path,
    source: Path,
    store: Store,
    ledger: Ledger,
    goes_wrong: Callable[[], None],
) -> list[str]:
    """How runs ended in whose midst something went wrong; a server starts them."""
    ends = list[str]()
    with contextlib.ExitStack() as stack:
        if runs:
            stack.enter_context(closing(Server(folder)))
        for number in range(runs):
            run_id = train(store, ledger, source, f"{kind} to train {number}")
            time.sleep(random.uniform(0, WITHIN))  # noqa: S311
            goes_wrong()
            ends += end_well(store, ledger, run_id)
    return ends


def full_for_a_while(ballast: Path) -> None:
    fill(ballast)
    time.sleep(random.uniform(0.5, 5))  # noqa: S311
    ballast.unlink()


def fill(ballast: Path) -> None:
    """Takes all room of the disk at once."""
    piece = bytes(1 << 12)
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(ballast.parent).free)
        file.seek(0, os.SEEK_END)
        while file.write(piece) == len(piece):  # what was freed meanwhile
            pass


def locked(times: int, runs: int, folder: Path, source: Path) -> Any:
    """A store that another program holds, longer than we wait or not."""
    ledger = Ledger()
    with mock.patch.object(drivers, "BUSY_TIMEOUT", 0.5), closing(Store()) as store:
        for number in range(times):
            holding = threading.Thread(
                target=hold,
                args=[random.uniform(0.1, 1.5)],  # noqa: S311
            )
            holding.start()
            for part in range(5):
                work(ledger, store, source, f"locked {number} {part}")
            holding.join()
            ledger.check()
    with closing(Store()) as store:
        ends = in_training(
            *("locked", runs, folder, source, store, ledger),
            lambda: hold(random.uniform(0.5, 10)),  # noqa: S311
        )
    return ledger, ends


def hold(seconds: float) -> None:
    with closing(sqlite3.connect(workspace.home() / "store.sqlite")) as file:
        file.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)


def clock(times: int, runs: int, folder: Path, source: Path) -> Any:
    """A clock that is set by up to a day, on or back, while jobs are at work."""
    ledger, ends, real = Ledger(), list[str](), time.time
    with closing(Store()) as store:
        supervisor = Supervisor(launch=None)
        supervisor._keeps_spare = False
        for number in range(times):
            name, by = f"clock {number}", random.uniform(-86400, 86400)  # noqa: S311
            job_id = ask_for_import(store, source, name)
            supervisor.tick()
            with mock.patch("time.time", lambda by=by: real() + by):
                tick_until_end(supervisor, store, job_id)
            ends.append(take_note(ledger, store, job_id, name))
            assert ends[-1] == JobStatus.COMPLETED, store.get_job(job_id).error
            ledger.check()
        for number in range(runs):
            name, by = f"clock to train {number}", random.uniform(-86400, 86400)  # noqa: S311
            run_id = train(store, ledger, source, name, supervisor.tick)
            with mock.patch("time.time", lambda by=by: real() + by):
                tick_until_end(supervisor, store, run_id)
            ends += end_well(store, ledger, run_id)
        supervisor._spare.close()
    return ledger, ends


def tick_until_end(supervisor: Supervisor, store: Store, job_id: str) -> None:
    wait_for(lambda: supervisor.tick() or store.get_job(job_id).status.is_final)


def half(times: int, runs: int, folder: Path, source: Path) -> Any:
    """Files that were cut off: whatever is written under a name of its own first."""
    ledger = Ledger()
    with closing(Store()) as store:
        for number in range(times):
            name = f"half {number}"
            work(ledger, store, source, name)
            hashes = [one.sha256 for one in library.load(name).images]
            rows = np.random.default_rng(number).normal(size=(len(hashes), 64))
            kept = Shelf(f"half-{number}", (64,), "float32")
            with kept.writer() as writer:
                writer.add(hashes, rows)
            cut_off(number)
            ledger.check()
            # Features are either what they were, or known to be missing.
            again = Shelf(f"half-{number}", (64,), "float32")
            read, lost = again.read(hashes)
            whole = [at for at in range(len(hashes)) if at not in set(lost)]
            assert np.array_equal(read[whole], rows.astype(np.float32)[whole])
            work(ledger, store, source, f"{name} again")
            ledger.check()
        ends = in_training(
            *("half", runs, folder, source, store, ledger), lambda: half_a_run(store)
        )
    return ledger, ends


def half_a_run(store: Store) -> None:
    """What a machine leaves that lost its power while a run trained."""
    for run in store.active():
        kill(workers_of(store))
        for name in ("checkpoint.npz", "model.keras"):
            path = workspace.folder("runs", run.id) / f".writing-{name}"
            path.write_bytes(b"half")


def cut_off(seed: int) -> None:
    """Leaves what a machine without power leaves: pieces of files, some of ours cut."""
    draw, home = random.Random(seed), workspace.home()  # noqa: S311
    for folder in ("datasets/a", "images/ab", "runs/0a1b2c3d", "importing/dead"):
        path = home / folder / f".writing-{seed}"
        workspace.make_folder(path.parent)
        path.write_bytes(draw.randbytes(draw.randrange(1000)))
    (home / "importing" / "dead.lock").touch()
    segments = [*(home / "features").rglob("*.features")]
    segment = draw.choice(segments)
    with segment.open("r+b") as file:
        file.truncate(draw.randrange(segment.stat().st_size))
    (home / "features" / f"half-{seed}" / "dead.writing").write_bytes(b"half")
    thumbnails = home / "thumbnails" / "ab"
    workspace.make_folder(thumbnails)
    (thumbnails / f".writing-{seed}").write_bytes(b"\xff\xd8half")


KINDS: dict[str, Callable[[int, int, Path, Path], Any]] = {
    one.__name__: one for one in (worker, server, both, disk, locked, clock, half)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--only", default=",".join(KINDS))
    args = parser.parse_args()
    rows = []
    for kind in args.only.split(","):
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        os.environ |= bench.environment(folder) | {"TRANSFER_SPARE_WORKER": "0"}
        many = FEW if kind in ("locked", "clock", "half") else MANY
        source = make_pictures(folder / "pets", {"cat": many, "dog": many})
        start = time.monotonic()
        ledger, ends = KINDS[kind](args.times, args.runs, folder, source)
        row = {"kind": kind, "times": args.times, "datasets": len(ledger.datasets)}
        row |= {"runs": len(ledger.runs), "refused in words": ledger.refused}
        row |= {"ended": ", ".join(f"{ends.count(e)} {e}" for e in sorted({*ends}))}
        rows.append({**row, "lost": ledger.lost, "seconds": time.monotonic() - start})
        print(rows[-1], flush=True)
        shutil.rmtree(folder, ignore_errors=True)
    bench.tell("chaos", rows)


if __name__ == "__main__":
    main()
