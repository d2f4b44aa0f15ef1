"""The Ray cluster that does jobs and their parts, where `TRANSFER_ENGINE` is ray.

Without that setting nothing here imports Ray, and nobody needs to have it.
"""

import logging
import os
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from transfer import workspace
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


class Cores:
    """The cores of the cluster, each of which does a piece of work at a time."""

    def __init__(self) -> None:
        self._ray = connect()
        # What a lost machine had is given to another one, so often.
        self._task = self._ray.remote(num_cpus=1, max_retries=3)(_work)
        self._references: dict[Future[Any], Any] = {}

    def count_cores(self) -> int:
        """See `shards.Machines`."""
        return int(self._ray.cluster_resources().get("CPU", 0))

    def send(self, work: Callable[[], Any]) -> "Future[Any]":
        """See `shards.Machines`."""
        told = {name: os.environ[name] for name in _OF_USE if name in os.environ}
        told["TRANSFER_HOME"] = str(workspace.home().absolute())
        reference = self._task.remote(told, work)
        future: Future[Any] = reference.future()
        self._references[future] = reference
        future.add_done_callback(self._forget)
        return future

    def take_back(self, sent: "Future[Any]") -> None:
        """See `shards.Machines`."""
        if reference := self._references.get(sent):
            self._ray.cancel(reference)

    def _forget(self, done: "Future[Any]") -> None:
        self._references.pop(done, None)


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
    return work()
