"""Nodes of a Ray cluster on this machine, each with ports and processes of its own.

Every node is a group of processes of its own, so that it can be killed without any
other, and nothing is asked of `ray stop`, which ends those of everybody.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.patience import wait_for
from transfer import shards

#: The program that Ray brings, and what every node is told.
_RAY = Path(sys.executable).with_name("ray")
_TOLD = ["--object-store-memory=100000000", "--disable-usage-stats"]
#: Workers take any ports that are free; else those of two nodes would be the same.
_TOLD += ["--min-worker-port=0", "--max-worker-port=0"]
#: With these in the environment a lost node is noticed within five seconds: who is gone
#: refuses at once, and who is only slow has longer.
QUICK = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "10000",
    "RAY_health_check_failure_threshold": "5",
}


class Node:
    """A node.

    Args:
        folder: Where it keeps what it writes; short, for sockets lie there.
        head: Address of the head; empty makes it one.
        environment: What its processes find in the environment besides.
        name: What it is called.
        cores: That it has for work.
    """

    def __init__(
        self,
        folder: Path,
        head: str = "",
        environment: dict[str, str] | None = None,
        name: str = "",
        cores: int = 1,
    ) -> None:
        self._folder, self._environment = folder, environment
        words = ["--block", *_TOLD, f"--temp-dir={folder}", f"--num-cpus={cores}"]
        words += [f"--node-name={name}"] if name else []
        if not head:
            port = _free_port()
            words += ["--head", f"--port={port}", "--include-dashboard=false"]
        self.address = head or f"127.0.0.1:{port}"
        words += [f"--address={head}"] if head else ["--node-ip-address=127.0.0.1"]
        self._words, self._process = words, self._start(words)

    def _start(self, words: list[str]) -> "subprocess.Popen[bytes]":
        root = str(Path(__file__).resolve().parents[1])
        told = {**os.environ, "PYTHONPATH": root, **(self._environment or {})}
        # Ray would take the address for that of the cluster to be made.
        told.pop("RAY_ADDRESS", None)
        return subprocess.Popen(
            [str(_RAY), "start", *words],
            env=told,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def begin_again(self) -> None:
        """Starts it anew if it has ended, as on a busy machine, where another took its
        ports or the head answered too late.
        """
        if self._process.poll() is not None:
            self._process = self._start(self._words)

    def beside(self, name: str) -> "Node":
        """One more node of the same cluster, once it has come."""
        folder = self._folder.with_name(name)
        one = Node(folder, self.address, self._environment, name)
        wait_for(lambda: name in _names(self.address))
        return one

    def processes(self) -> list[psutil.Process]:
        """All that belong to it, the first one first."""
        with contextlib.suppress(psutil.NoSuchProcess):
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)]
        return []

    def kill(self) -> None:
        """As a machine that loses its power: nothing of it says good-bye."""
        found = self.processes()
        for one in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)
        self._process.wait()
        psutil.wait_procs(found, 10)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(
    nodes: int = 1, environment: dict[str, str] | None = None, cores: int = 1
) -> Iterator[list[Node]]:
    """A head and further nodes, each of one core; all are gone after the block.

    Args:
        nodes: How many, the head included.
        environment: As of `Node`.
        cores: Of the head.
    """
    folder = Path(tempfile.mkdtemp(prefix="ray-"))
    made = [Node(folder / "0", environment=environment, name="head", cores=cores)]
    try:
        wait_for(lambda: len(_names(made[0].address)) == 1)
        for number in range(1, nodes):
            made.append(Node(folder / str(number), made[0].address, environment))

        def are_there() -> bool:
            for node in made[1:]:
                node.begin_again()
            return len(_names(made[0].address)) == nodes

        wait_for(are_there)
        yield made
    finally:
        for node in reversed(made):
            node.kill()
        shutil.rmtree(folder, ignore_errors=True)


def squares(numbers: list[int]) -> list[int]:
    """What `work` gives for some numbers, by way of `shards`."""
    return [*shards.each(work, numbers, threads=1, task=1)]


def work(number: int) -> int:
    """The square of a number: what a task can be asked for."""
    return number * number


def _names(address: str) -> list[str]:
    """Of all nodes that live; each is called by its address where it has no name."""
    from ray._raylet import GcsClient  # noqa: PLC0415  most tests need no Ray

    host, port = address.split(":")
    with contextlib.suppress(OSError):
        socket.create_connection((host, int(port)), 1).close()
        found = GcsClient(address=address).get_all_node_info().values()
        return [node.node_name for node in found if node.state == 0]
    return []
