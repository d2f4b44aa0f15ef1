"""Speaks with Ray for a server: `python -m transfer.runs.engines.bridge`.

A request is a line of JSON on its input, and so is the answer on its output. It is a
process of its own since Ray ends whoever is connected when the cluster is lost.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from transfer import cluster
from transfer.errors import TransferError
from transfer.runs.engines.keeper import Keeper, SpareKeeper

#: Seconds between two times at which a spare worker is told to stay.
_TELL_EVERY = 30.0


class Bridge:
    """Answers requests.

    Args:
        ray: As `cluster.connect` gives it.
    """

    def __init__(self, ray: ModuleType) -> None:
        self._ray = ray
        #: Of each job that was handed over the answer whether it works, until it comes.
        self._begun: dict[str, Any] = {}
        #: When the spare worker of a node was told to stay.
        self._told: dict[str, float] = {}

    def answer(self, do: str, **request: Any) -> dict[str, Any]:
        """What a request asks for."""
        match do:
            case "look":
                return self._look(**request)
            case "start":
                return self._start(**request)
            case "lives":
                return {"lives": self._find(request["name"]) is not None}
            case "end":
                return self._end(**request)
        raise ValueError(f"there is no {do!r}")

    def _look(self, spare: str, environment: Mapping[str, str]) -> dict[str, Any]:
        nodes = [_node(*one) for one in cluster.nodes()]
        for one in nodes if spare else ():
            # Which GPU a job has is said when it begins, too late for what is imported.
            if one["cores"] and not one["gpus"]:
                self._keep_spare(f"{spare} {one['id']}", one["id"], environment)
        return {"nodes": nodes, "failed": self._failures()}

    def _keep_spare(self, name: str, node: str, environment: Mapping[str, str]) -> None:
        """Sees that a worker is ready on the node, whoever has put it there."""
        now = time.monotonic()
        if now - self._told.get(name, -_TELL_EVERY) >= _TELL_EVERY:
            self._told[name] = now
            self._actor(SpareKeeper, name, node, get_if_exists=True, num_cpus=0).remote(
                environment
            ).stay.remote()

    def _failures(self) -> dict[str, str]:
        """Why jobs that were handed over could not be begun, each told once."""
        waiting = list(self._begun.values())
        if not waiting:
            return {}
        ready, _ = self._ray.wait(waiting, num_returns=len(waiting), timeout=0)
        failed = {}
        for name in [one for one, ref in self._begun.items() if ref in ready]:
            try:
                self._ray.get(self._begun.pop(name))
            except self._ray.exceptions.RayError as error:
                # Where its node is lost, the job goes on elsewhere.
                if "creation task" in str(error) or "import" in str(error):
                    failed[name] = str(error).strip().splitlines()[-1][:300]
                    self._end(name, by_force=True)
        return failed

    def _start(
        self,
        name: str,
        node: str,
        resources: Mapping[str, Any],
        about: Mapping[str, Any],
    ) -> dict[str, Any]:
        asked = self._actor(Keeper, name, node, **resources)
        self._begun[name] = asked.remote(**about).is_at_work.remote()
        return {}

    def _actor(self, of: type, name: str, node: str, **options: Any) -> Any:
        """What makes an actor on a node, which belongs to no server."""
        from ray.util import scheduling_strategies  # noqa: PLC0415

        there = scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=False)
        return self._ray.remote(of).options(
            name=name, lifetime="detached", scheduling_strategy=there, **options
        )

    def _find(self, name: str) -> Any:
        try:
            return self._ray.get_actor(name)
        except ValueError:
            return None

    def _end(self, name: str, by_force: bool) -> dict[str, Any]:
        if keeper := self._find(name):
            told = keeper.end.remote(by_force)
            if by_force:  # it may still wait for its cores, or not answer
                self._ray.wait([told], timeout=1.0)
                self._ray.kill(keeper)
        return {}


def _node(told: Mapping[str, Any], free: Mapping[str, float]) -> dict[str, Any]:
    has, name = told["Resources"], told["NodeName"]
    return {
        "id": told["NodeID"],
        # One that was given no name is called by its address.
        "name": told["NodeManagerHostname"] if name in _addresses(told) else name,
        "cores": int(has.get("CPU", 0)),
        "gpus": has.get("GPU", 0.0),
        "memory": has.get("memory", 0.0),
        "free_cores": free.get("CPU", 0.0),
        "free_memory": free.get("memory", 0.0),
    }


def _addresses(told: Mapping[str, Any]) -> tuple[str, str]:
    return told["NodeManagerAddress"], ""


def main() -> None:
    """Answers until its input ends, with the server."""
    # Whatever libraries print goes where nobody reads it.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        bridge = Bridge(cluster.connect())
    except TransferError as error:
        print(json.dumps({"error": error.message, "hint": error.hint}), file=answers)
        return
    for line in sys.stdin:
        try:
            told = bridge.answer(**json.loads(line))
        except Exception as error:
            told = {"error": f"{type(error).__name__}: {str(error)[:300]}", "hint": ""}
        print(json.dumps(told), file=answers, flush=True)


if __name__ == "__main__":
    main()
