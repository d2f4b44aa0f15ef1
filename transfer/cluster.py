"""The Ray cluster that does jobs and their parts, where `TRANSFER_ENGINE` is ray.

Without that setting nothing here imports Ray, and nobody needs to have it.
"""

import logging
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from transfer import processes, workspace
from transfer.errors import ConfigError, StorageError

#: Names of what we keep on the cluster are of this space, whoever else uses it.
NAMESPACE = "transfer-studio"
_ENGINES = ("local", "ray")
#: What a piece of work is told of the environment, with the workspace's folder.
_OF_USE = ("TRANSFER_CACHE_GB", "KERAS_HOME")


def is_used() -> bool:
    """Whether work goes to a Ray cluster: `TRANSFER_ENGINE` is `ray`.

    Raises:
        ConfigError: It is neither that nor `local`.
    """
    named = os.environ.get("TRANSFER_ENGINE") or _ENGINES[0]
    if named not in _ENGINES:
        raise ConfigError(
            f"TRANSFER_ENGINE is {named!r}, but local or ray was expected."
        )
    return named == "ray"


def address() -> str:
    """Where the cluster's head listens: `RAY_ADDRESS`, such as `10.0.0.1:6379`.

    Raises:
        ConfigError: The variable is not set.
    """
    if named := os.environ.get("RAY_ADDRESS"):
        return named
    raise ConfigError(
        "TRANSFER_ENGINE is ray, but RAY_ADDRESS is not set.",
        "Set it to the host and port of the cluster's head, such as 10.0.0.1:6379.",
    )


def connect() -> ModuleType:
    """Ray, connected to the cluster; once in a process, which must be no server's.

    A process that is connected is ended by Ray itself when the cluster is lost.

    Raises:
        ConfigError: Ray is not installed, or `RAY_ADDRESS` is not set.
        StorageError: The cluster does not answer, or this machine is none of its nodes.
    """
    at = address()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # else it tells its makers
    try:
        import ray  # noqa: PLC0415
        from ray.job_config import JobConfig  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            f"TRANSFER_ENGINE is ray, but Ray cannot be imported: {error}.",
            "python -m pip install -r .deploy/requirements.txt",
        ) from error
    if ray.is_initialized():
        return ray
    # On nodes that have the program elsewhere, their PYTHONPATH says where.
    ours = str(Path(__file__).resolve().parents[1])
    try:
        ray.init(
            address=at,
            namespace=NAMESPACE,
            log_to_driver=False,
            logging_level=logging.ERROR,
            job_config=JobConfig(_py_driver_sys_path=[ours]),
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise StorageError(
            f"The Ray cluster at {at} cannot be used: {str(error)[:300]}",
            "See that its head runs, and that `ray start` made this machine a node.",
        ) from error
    return ray


def nodes() -> list[tuple[dict[str, Any], dict[str, float]]]:
    """The nodes that live, as Ray tells of them, and what of each nobody holds."""
    from ray._private import state  # noqa: PLC0415  the public one needs a dashboard

    untyped: Any = state
    free = untyped.available_resources_per_node()
    living = [one for one in connect().nodes() if one["Alive"]]
    return [(one, free.get(one["NodeID"], {})) for one in living]


class Cores:
    """The cores that jobs have left on the cluster, each for a piece of work at a time.

    To Ray a piece asks for nothing, so that none keeps a job from its cores, and no job
    that holds all of them waits for its own pieces.
    """

    def __init__(self) -> None:
        self._ray = connect()
        # What a lost machine had is given to another one, so often.
        self._task = self._ray.remote(num_cpus=0, max_retries=3)(_work)
        self._free: dict[str, int] = {}
        self._sent: dict[Future[Any], tuple[Any, str]] = {}

    def count(self) -> int:
        """See `shards.Machines`."""
        found = {one["NodeID"]: int(free.get("CPU", 0)) for one, free in nodes()}
        self._free = {node: count for node, count in found.items() if count}
        return sum(self._free.values())

    def send(self, work: Callable[[], Any]) -> "Future[Any]":
        """See `shards.Machines`."""
        from ray.util import scheduling_strategies  # noqa: PLC0415

        told = {name: os.environ[name] for name in _OF_USE if name in os.environ}
        told["TRANSFER_HOME"] = str(workspace.home().absolute())
        busy = Counter(node for _, node in list(self._sent.values()))
        node = min(self._free, key=lambda one: busy[one] / self._free[one])
        there = scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=True)
        task = self._task.options(scheduling_strategy=there)
        reference = task.remote(told, work)
        future: Future[Any] = reference.future()
        self._sent[future] = reference, node
        future.add_done_callback(lambda done: self._sent.pop(done, None))
        return future

    def take_back(self, sent: "Future[Any]") -> None:
        """See `shards.Machines`."""
        if known := self._sent.get(sent):
            self._ray.cancel(known[0])


@cache
def cores() -> Cores:
    """Those of the cluster, to which this process is connected from now on.

    Raises:
        TransferError: As `connect`.
    """
    return Cores()


def _work(told: dict[str, str], work: Callable[[], Any]) -> Any:
    """What a task does, in a process of its own that stays for the next one."""
    # It has one core; the others of its machine have processes of their own.
    os.environ.update(told, TRANSFER_ENGINE="local", TRANSFER_CORES="1")
    processes.give_way()  # to jobs that come meanwhile
    return work()
