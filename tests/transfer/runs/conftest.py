"""Both databases, and a process that does nothing any more."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.both_databases import database

__all__ = ["database", "stopped_dead"]


@pytest.fixture
def stopped_dead() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives and does nothing any more."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        os.kill(process.pid, signal.SIGSTOP)
        yield process
        process.kill()
