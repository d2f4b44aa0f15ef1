"""A Ray cluster as an engine: its nodes are hosts, its actors look after processes."""

import hashlib
import json
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from transfer import processes
from transfer.errors import StorageError
from transfer.runs.engines import local
from transfer.runs.engines.host import Host
from transfer.store.record import Job

#: Seconds within which the cluster answers; the first time connecting is part of it.
_ANSWERS_WITHIN = 60.0
#: What the host of a job that was handed to Ray ends in: the start of its node's id.
_OF_RAY = re.compile(r" \(Ray [0-9a-f]{8}\)$")


def is_of_ray(job: Job) -> bool:
    """Whether a job was handed to a node of a Ray cluster."""
    return bool(_OF_RAY.search(job.host or ""))


class Remote:
    """The process of a job on a node, with all that it has started.

    Args:
        cluster: Where it is.
        name: Of whoever looks after it.
    """

    def __init__(self, cluster: "Cluster", name: str) -> None:
        self._cluster, self._name = cluster, name

    def terminate(self) -> None:
        """Asks each to end."""
        self._cluster.ask("end", name=self._name, by_force=False)

    def kill(self) -> None:
        """Ends each."""
        self._cluster.ask("end", name=self._name, by_force=True)


class Cluster:
    """The cluster that `RAY_ADDRESS` names, by way of a process that speaks with it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._nodes: dict[str, str] = {}
        self._closed = False
        #: Its nodes as `look` last saw them.
        self.hosts: dict[str, Host] = {}

    def look(self) -> dict[tuple[str, float], str]:
        """Sees which nodes there are; why jobs that it was given could not be begun.

        Returns:
            The reason by the id of the job and by when it was handed over.

        Raises:
            StorageError: The cluster does not answer.
        """
        self.hosts = {}
        told = self.ask("look", spare=_spare(), environment=_ours())
        found = [(_host(one), one["id"]) for one in told["nodes"] if one["cores"]]
        self._nodes = {host.name: node for host, node in found}
        self.hosts = {host.name: host for host, _ in found}
        failed = ((name.partition(" "), why) for name, why in told["failed"].items())
        return {(job_id, float(at)): why for (job_id, _, at), why in failed}

    def start(
        self, job: Job, resources: Mapping[str, float], needs_keras: bool
    ) -> None:
        """Hands a job to the node that is its host.

        Args:
            resources: What it asks for, as Ray calls it.
            needs_keras: Whether the node's spare worker does it, if there is one.

        Raises:
            StorageError: The cluster does not answer.
        """
        node = self._nodes[job.host or ""]
        spare = _spare() if needs_keras else ""
        own = {"TRANSFER_MACHINE": job.host, "TRANSFER_CLAIM": repr(job.started_at)}
        about = {
            "kind": job.kind,
            "job_id": job.id,
            "words": local.command(job),
            "environment": _ours(),
            "own": own,
            "is_heavy": resources["num_cpus"] > 0,
            "spare": spare and f"{spare} {node}",
        }
        self.ask("start", name=_name(job), node=node, resources=resources, about=about)

    def find(self, job: Job) -> Remote | None:
        """The living process of a job of this cluster; `None` if it is gone.

        Raises:
            StorageError: The cluster does not answer.
        """
        name = _name(job)
        return Remote(self, name) if self.ask("lives", name=name)["lives"] else None

    def close(self) -> None:
        """Leaves it; the jobs go on."""
        self._closed = True
        if self._process:
            self._process.kill()

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """The answer of the process that speaks with Ray.

        Raises:
            StorageError: There is none: the cluster is gone, or was never there.
        """
        if self._process is None or self._process.poll() is not None:
            self._open()
        try:
            self._tell({"do": do, **request})
            line = self._answers.get(timeout=_ANSWERS_WITHIN)
        except (OSError, ValueError, queue.Empty):  # it has just ended, or hangs
            line = ""
        told: dict[str, Any] = json.loads(line or "{}")
        if not line or "error" in told:
            self._leave()
            reason = told.get("error", "It does not answer, or is lost.")
            raise StorageError(
                f"The Ray cluster: {reason}", told.get("hint", "See that it runs.")
            )
        return told

    def _open(self) -> None:
        self._answers = queue.SimpleQueue()
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "transfer.runs.engines.bridge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=processes.environment(),
            start_new_session=True,
        )
        reading = self._process, self._answers
        threading.Thread(target=_read, args=reading, daemon=True).start()
        if self._closed:  # meanwhile
            self._process.kill()

    def _tell(self, request: Mapping[str, Any]) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()

    def _leave(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()


def _read(process: subprocess.Popen[str], answers: "queue.SimpleQueue[str]") -> None:
    with process:
        for line in process.stdout or ():
            answers.put(line)
        answers.put("")  # it has ended


def _host(node: Mapping[str, Any]) -> Host:
    kept = {key: node[key] for key in node if key not in ("id", "name")}
    return Host(name=f"{node['name']} (Ray {node['id'][:8]})", **kept)


def _name(job: Job) -> str:
    """What looks after a job is called: begun anew, it has another."""
    return f"{job.id} {job.started_at!r}"


def _spare() -> str:
    """What spare workers of this program and these settings are called.

    Empty where none is wanted.
    """
    if not local.wants_spare():
        return ""
    told = json.dumps([_program(), _ours()], sort_keys=True).encode()
    return f"spare {hashlib.sha256(told).hexdigest()[:16]}"


@cache
def _program() -> str:
    """What changes with the program: who has imported an earlier one is not asked."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parents[2].rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def _ours() -> dict[str, str]:
    """What the settings of this server are for a node that has none of its own."""
    found = processes.environment()
    return {
        name: found[name]
        for name in found
        if name.startswith(("TRANSFER_", "RAY_AUTH_")) or name in _SHARED
        if name != "TRANSFER_MACHINE"
    }


_SHARED = ("RAY_ADDRESS", "KERAS_HOME", "TF_CPP_MIN_LOG_LEVEL")
