"""The jobs of a Ray cluster: handed to nodes that have room, as the queue says.

Ray starts them where it is told to, and says which nodes there are. Order, turns and
limits are the queue's, so any number of servers may hand jobs to one cluster.
"""

from contextlib import suppress
from functools import partial

from transfer.errors import NotFoundError, RunError, StorageError
from transfer.processes import Watch
from transfer.runs import kinds, memory, queue, vanished
from transfer.runs.engines import on_ray
from transfer.runs.engines.host import Host
from transfer.runs.kinds import GIVES_WAY, HEAVY, KINDS
from transfer.store.record import Job, error_record
from transfer.store.runs import Store
from transfer.store.status import JobStatus


class LostError(Exception):
    """The cluster was lost while jobs were handed over, which is no fault of theirs."""


class Clustered:
    """Does for a cluster what a supervisor does for its machine."""

    def __init__(self) -> None:
        self._cluster = on_ray.Cluster()
        self._knows = False

    def tick(self, store: Store, watch: Watch) -> None:
        """One round.

        Raises:
            StorageError: The cluster does not answer. Its jobs go on, and are given up
                where nothing is heard of them.
            LostError: It did until a job was to be handed over, which waits again.
        """
        failed, problem = dict[tuple[str, float], str](), None
        try:
            failed = self._cluster.look()
        except StorageError as error:
            problem = error
        self._knows = problem is None
        for (job_id, claim), why in failed.items():
            _fail(store, job_id, claim, why)
        vanished.sweep(store, self._find, watch, self._can_find, self._is_lost)
        if problem:
            raise problem
        for host in self.hosts:
            vanished.give_way(store, self._find, host.name)
        launch = partial(self._launch, store)
        queue.dispatch(store, launch, GIVES_WAY, hosts=self.hosts)

    @property
    def hosts(self) -> list[Host]:
        """Its nodes that do jobs, as they were last seen."""
        return list(self._cluster.hosts.values())

    def close(self) -> None:
        """Leaves the cluster; the jobs go on."""
        self._cluster.close()

    def _launch(self, store: Store, job: Job) -> None:
        host = self._cluster.hosts[job.host or ""]
        try:
            needs_keras = KINDS[job.kind].needs_keras
            self._cluster.start(job, resources(job, host), needs_keras)
        except StorageError as error:
            # Should it be begun all the same, it is refused, for its claim is gone.
            # Once: what can never be handed over would keep all others waiting.
            with suppress(NotFoundError, RunError):
                store.begin_again(job.id, job.started_at, error_record(error))
            raise LostError(f"{error}") from error

    def _find(self, job: Job) -> vanished.JobProcess | None:
        if vanished.is_here(job):
            return vanished.find_process(job)
        return self._cluster.find(job)

    def _can_find(self, job: Job) -> bool:
        return vanished.is_here(job) or job.host in self._cluster.hosts

    def _is_lost(self, job: Job) -> bool:
        # Nothing follows from a cluster that does not answer.
        is_known = job.host in self._cluster.hosts
        return self._knows and on_ray.is_of_ray(job) and not is_known


def resources(job: Job, host: Host) -> dict[str, float]:
    """What a job asks of a node, as Ray calls it: cores, memory, and a GPU's share.

    Light work goes on beside heavy work, as it does on one machine, and holds no core.
    """
    is_heavy = job.kind in HEAVY
    cores = kinds.cores_of_heavy(host) if is_heavy else 0.0
    asked = {"num_cpus": cores, "memory": memory.need_on(host, job) // 1}
    if host.gpus and is_heavy and KINDS[job.kind].needs_keras:
        asked["num_gpus"] = min(host.gpus / kinds.max_running(host), 1.0)
    return asked


def _fail(store: Store, job_id: str, claim: float, why: str) -> None:
    """Ends a job that its node could not begin, if nobody has taken it since."""
    error = RunError(
        f"The worker could not be started: {why}",
        "See that the program, its packages and the workspace are on every node.",
    )
    with suppress(NotFoundError, RunError):
        told = error_record(error)
        store.finish(job_id, JobStatus.FAILED, error=told, claim=claim)
