"""What looks after the processes of jobs on the nodes of a Ray cluster."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import psutil

from transfer.processes import Tree
from transfer.runs.engines import local
from transfer.runs.engines.local import SpareWorker

#: Seconds without a word of a server after which a spare worker goes.
_STAYS = 120.0
#: Seconds between two looks whether a process has ended.
_LOOK_EVERY = 0.3


class Keeper:
    """Does one job on its node, in a process of its own, and ends when that has ended.

    It becomes an actor that belongs to no server: one that is lost changes nothing.

    Args:
        kind: Of the job.
        job_id: Of the job.
        words: What does it, after `python`.
        environment: Of the server; what this node has set itself goes before it.
        own: What the process is told besides.
        is_heavy: Whether it holds cores.
        spare: Name of the `SpareKeeper` whose worker does it, if there is one.

    Raises:
        OSError: The system cannot start another process.
        StorageError: The log cannot be written.
    """

    def __init__(
        self,
        kind: str,
        job_id: str,
        words: Sequence[str],
        environment: Mapping[str, str],
        own: Mapping[str, str],
        is_heavy: bool,
        spare: str = "",
    ) -> None:
        _take_over(environment)
        os.environ.update(own)
        about = kind, job_id, words
        pid = _ask_for_spare(spare, *about, own, is_heavy) if spare else None
        try:
            self._process = psutil.Process(pid or local.run(*about).pid)
        except psutil.NoSuchProcess:  # the spare worker has ended just now
            self._process = psutil.Process(local.run(*about).pid)
        threading.Thread(target=self._end_with_it, daemon=True).start()

    def is_at_work(self) -> bool:
        """Whether its process lives."""
        return bool(self._process.is_running())

    def end(self, by_force: bool) -> None:
        """Asks its process, and all that it has started, to end, or ends them."""
        tree = Tree(self._process)
        if by_force:
            tree.kill()
        else:
            tree.terminate()

    def _end_with_it(self) -> None:
        self._process.wait()
        _end()


class SpareKeeper:
    """Has a worker on its node that has imported Keras, for the next job that needs it.

    It becomes an actor that belongs to no server, asks nothing of Ray, and is one for a
    node and the settings of servers, however many there are. It ends once no server
    has a word for it and no job is at work that it gave a process, which Ray would end
    with it.

    Args:
        environment: As of `Keeper`.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        _take_over(environment)
        self._worker, self._lock = SpareWorker(), threading.Lock()
        self._given: list[tuple[bool, subprocess.Popen[bytes]]] = []
        self.stay()
        threading.Thread(target=self._look_after, daemon=True).start()

    def stay(self) -> None:
        """Has it stay for some time more."""
        self._until = time.monotonic() + _STAYS

    def give(
        self,
        kind: str,
        job_id: str,
        words: Sequence[str],
        own: Mapping[str, str],
        is_heavy: bool,
    ) -> int | None:
        """The number of the process that does a job from now on; `None` for none.

        Args:
            kind: As of `Keeper`.
            job_id: As of `Keeper`.
            words: As of `Keeper`.
            own: As of `Keeper`.
            is_heavy: As of `Keeper`.

        Raises:
            StorageError: The log cannot be written.
        """
        with self._lock:
            process = self._worker.give(kind, job_id, words, own)
            if process is None:
                return None
            self._given.append((is_heavy, process))
            return process.pid

    def _look_after(self) -> None:
        while self._is_of_use():
            time.sleep(_LOOK_EVERY)
        _end()

    def _is_of_use(self) -> bool:
        """Whether it stays; a worker is made ready while no heavy job is at work."""
        with self._lock:
            self._given = [one for one in self._given if one[1].poll() is None]
            is_asked_for = time.monotonic() < self._until
            if not is_asked_for:
                self._worker.close()
            elif not any(is_heavy for is_heavy, _ in self._given):
                with suppress(OSError):  # no room for a process now: at a later look
                    self._worker.prepare()
            return is_asked_for or bool(self._given)


def _take_over(environment: Mapping[str, str]) -> None:
    # Ray's own, by the cores that were asked for: on one machine nobody sets it.
    os.environ.pop("OMP_NUM_THREADS", None)
    os.environ.update({**environment, **os.environ})


def _ask_for_spare(name: str, *about: object) -> int | None:
    """The process of a spare worker that does a job; `None` if there is none."""
    import ray  # noqa: PLC0415  without a cluster nobody needs it

    untyped: Any = ray
    with suppress(ValueError, ray.exceptions.RayError):  # it is gone, or just ends
        pid: int | None = untyped.get(untyped.get_actor(name).give.remote(*about))
        return pid
    return None


def _end() -> None:
    # Ray takes this for an end on purpose.
    os.kill(os.getpid(), signal.SIGTERM)
