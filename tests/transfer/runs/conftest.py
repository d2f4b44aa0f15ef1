"""Processes that have ended, or do nothing any more."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture
def zombie() -> Iterator[int]:
    """The number of a process that has ended and that nobody has waited for."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    yield process.pid
    process.wait()


@pytest.fixture
def stopped_dead() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives and does nothing any more."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        os.kill(process.pid, signal.SIGSTOP)
        yield process
        process.kill()
