"""What does a job on a node of a Ray cluster: it starts its process and looks at it."""

import os
import signal
import threading
from collections.abc import Mapping, Sequence

import psutil

from transfer.processes import Tree
from transfer.runs.engines import local


class Keeper:
    """Does one job on its node, in a process of its own, and ends when that has ended.

    It becomes an actor that belongs to no server: one that is lost changes nothing.

    Args:
        kind: Of the job.
        job_id: Of the job.
        words: What does it, after `python`.
        environment: Of the server; what this node has set itself goes before it.
        own: What the process is told besides.

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
    ) -> None:
        # Ray's own, by the cores that were asked for: on one machine nobody sets it.
        os.environ.pop("OMP_NUM_THREADS", None)
        os.environ.update({**environment, **os.environ, **own})
        self._process = local.run(kind, job_id, words)
        threading.Thread(target=self._end_with_it, daemon=True).start()

    def is_at_work(self) -> bool:
        """Whether its process lives."""
        return self._process.poll() is None

    def end(self, by_force: bool) -> None:
        """Asks its process, and all that it has started, to end, or ends them."""
        tree = Tree(psutil.Process(self._process.pid))
        if by_force:
            tree.kill()
        else:
            tree.terminate()

    def _end_with_it(self) -> None:
        self._process.wait()
        # Ray takes this for an end on purpose.
        os.kill(os.getpid(), signal.SIGTERM)
