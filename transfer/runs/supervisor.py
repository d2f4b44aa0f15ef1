"""The thread of the server that starts what waits and notices what vanished."""

import logging
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress

from transfer import cluster
from transfer.datasets import history, library
from transfer.errors import NotFoundError, TransferError
from transfer.processes import Watch
from transfer.runs import machines, queue, vanished
from transfer.runs.clustered import Clustered
from transfer.runs.engines import local
from transfer.runs.engines.local import SpareWorker
from transfer.runs.kinds import GIVES_WAY, HEAVY, KINDS
from transfer.store import files
from transfer.store.record import Job
from transfer.store.runs import Store

#: Seconds within which a process whose job has ended is gone: TensorFlow and OpenVINO
#: take one or two to give back their memory.
LEAVES_WITHIN = 10.0
#: Seconds within which the thread that listens to other machines ends.
_ENDS_WITHIN = 0.3
#: Seconds between two rounds while there is no news: with thirty who wait each takes as
#: long as a click on a page.
_CALM = 1.0
#: Seconds between two times at which it says that this machine is there.
_ANNOUNCE_EVERY = 10.0
#: Seconds between two times at which old jobs are removed.
_TIDY_EVERY = 3600.0
#: Days after which a job that is no run goes if there is a newer one of its kind and
#: subject, and after which it goes even so.
_DAYS, _NEWEST_DAYS = 7, 180
_DAY = 86_400.0

_logger = logging.getLogger(__name__)


class Supervisor:
    """Looks after the jobs each second, and on news, in a thread of the server.

    Their processes are on their own: they outlive the supervisor.

    Args:
        open_store: Opens the store, at the first round that succeeds in it.
        interval: Seconds between two looks whether there is news.
        launch: Starts the process of a job; by default one that needs Keras is done by
            a spare worker that has imported it while nothing heavy was done.
    """

    def __init__(
        self,
        open_store: Callable[[], Store] = Store,
        interval: float = 0.3,
        launch: Callable[[Job], subprocess.Popen[bytes]] | None = None,
    ) -> None:
        self._open_store = open_store
        self._store: Store | None = None
        self._interval = interval
        self._spare = SpareWorker()
        self._launch = launch or self._launch_here
        self._keeps_spare = launch is None and local.wants_spare()
        self._cluster: Clustered | None = None
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._watch = Watch()
        self._watch_of_leaving = Watch()  # the other forgets what has ended
        self._tidy_at = self._announce_at = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="job-supervisor", daemon=True
        )
        self._hearing = threading.Thread(
            target=self._hear, name="job-news", daemon=True
        )
        self._problem = ""
        self._round_at = time.monotonic()

    @property
    def problem(self) -> str:
        """What the last round met; empty where all is well."""
        return self._problem

    @property
    def silent_seconds(self) -> float:
        """Seconds since the last round ended, whether well or not."""
        return time.monotonic() - self._round_at

    def start(self) -> None:
        """Begins; to be called once."""
        self._thread.start()
        self._hearing.start()

    def stop(self) -> None:
        """Ends the thread and leaves the processes of jobs running."""
        self._closing.set()
        queue.news.set()
        if self._cluster:  # it may be waited for
            self._cluster.close()
        self._thread.join()
        self._hearing.join()
        self._spare.close()
        if self._store:
            with suppress(TransferError):
                machines.leave(self._store)
            self._store.close()

    def tick(self) -> None:
        """One round. It never raises: a full disk now may have room a second later."""
        try:
            children = {one: p for one, p in self._children.items() if p.poll() is None}
            self._children = children
            self._store = self._store or self._open_store()
            self._announce(self._store)
            if cluster.is_used():
                self._cluster = self._cluster or Clustered()
                self._cluster.tick(self._store, self._watch)
            else:
                self._tick_here(self._store)
            if time.monotonic() >= self._tidy_at:
                self._tidy_at = time.monotonic() + _TIDY_EVERY
                tidy(self._store)
            self._problem = ""
        except Exception as error:
            if str(error) != self._problem:  # Once, not each second.
                _logger.exception("The supervisor of the jobs met a problem")
            self._problem = str(error)
        self._round_at = time.monotonic()

    def _announce(self, store: Store) -> None:
        """Says which machines are there; none takes a job under another's name."""
        if time.monotonic() >= self._announce_at:
            # Servers say of all nodes of a cluster that they are there.
            hosts = self._cluster.hosts if self._cluster else []
            if those := hosts or machines.here():  # no node is known at first
                machines.announce(store, those)
                self._announce_at = time.monotonic() + _ANNOUNCE_EVERY

    def _tick_here(self, store: Store) -> None:
        # In this order: what ended makes room, what gives way makes more.
        vanished.sweep(store, watch=self._watch)
        vanished.give_way(store)
        living = self._living(store)
        queue.dispatch(store, self._launch_child, GIVES_WAY, living)
        if self._keeps_spare and not self._does_heavy_work(store):
            self._spare.prepare()

    def _run(self) -> None:
        while not self._closing.is_set():
            self.tick()
            self._wait()
            queue.news.clear()

    def _wait(self) -> None:
        """Until there is news, a process has ended or it is time for another look."""
        until, before = time.monotonic() + _CALM, self._last_queued()
        while not queue.news.wait(self._interval) and time.monotonic() < until:
            if any(one.poll() is not None for one in self._children.values()):
                return
            if self._last_queued() != before:
                return

    def _last_queued(self) -> object:
        """Another value once another process has queued a job."""
        # Who is woken need not look at a store that is another machine's so often.
        with suppress(TransferError):
            if self._store and not self._store.machines.are_many:
                return self._store.last_queued()
        return None

    def _hear(self) -> None:
        """Wakes the supervisor when other machines queue, stop or end a job."""
        while not self._closing.is_set():
            with suppress(TransferError), closing(self._open_store()) as store:
                if not store.machines.are_many:
                    return
                for is_new in store.machines.news(_ENDS_WITHIN):
                    if is_new:
                        queue.news.set()
                    if self._closing.is_set():
                        return
            self._closing.wait(_CALM)

    def _launch_here(self, job: Job) -> subprocess.Popen[bytes]:
        # What needs no Keras leaves the spare worker to others.
        needs_keras = KINDS[job.kind].needs_keras
        return self._spare.start(job) if needs_keras else local.start(job)

    def _launch_child(self, job: Job) -> subprocess.Popen[bytes]:
        process = self._launch(job)
        self._children[job.id] = process  # Polled later, so that no zombie stays.
        return process

    def _does_heavy_work(self, store: Store) -> bool:
        return any(kind in HEAVY for kind in self._living(store).values())

    def _living(self, store: Store) -> dict[str, str]:
        """Kinds of the jobs whose processes live, those that ended just now too."""
        self._watch_of_leaving.forget_all_but(self._children)
        kinds = {}
        for job_id in self._children:
            with suppress(NotFoundError):  # deleted as soon as it had ended
                job = store.get_job(job_id)
                took = self._watch_of_leaving.seconds(job_id, job.ended_at)
                # One that never ends must not keep the others waiting for good.
                if not job.status.is_final or took < LEAVES_WITHIN:
                    kinds[job_id] = job.kind
        return kinds


def tidy(store: Store) -> None:
    """Removes old jobs that are no runs, and folders of jobs that there are no more.

    And old revisions of datasets, but never one that a run names.
    """
    now = time.time()
    for name in library.all_names():
        history.prune(name, store.with_trash().revisions(name))
    while store.prune(now - _DAYS * _DAY, now - _NEWEST_DAYS * _DAY):
        pass
    with suppress(OSError):
        folders = {folder.name: folder for folder in files.all_jobs().iterdir()}
        for name in folders.keys() - store.which_exist(folders):
            # One of an earlier version, whose row was made of it, stays for a while.
            if folders[name].stat().st_mtime < now - _DAYS * _DAY or len(name) == 8:
                shutil.rmtree(folders[name], ignore_errors=True)
