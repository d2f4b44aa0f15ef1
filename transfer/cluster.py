"""The Ray cluster that does jobs and their parts, where `TRANSFER_ENGINE` is ray.

Without that setting nothing here imports Ray, and nobody needs to have it.
"""

import logging
import os
from pathlib import Path
from types import ModuleType

from transfer.errors import ConfigError, StorageError

#: Names of what we keep on the cluster are of this space, whoever else uses it.
NAMESPACE = "transfer-studio"
_ENGINES = ("local", "ray")


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
