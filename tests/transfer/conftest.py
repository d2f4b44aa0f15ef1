"""A store in the test's own workspace, a quick backbone, a process that has ended."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import tiny as backbone
from transfer.store.runs import Store


@pytest.fixture
def database(workspace: Path) -> str:
    """Which database is used: the file in the workspace, unless a folder says more."""
    return "sqlite"


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


@pytest.fixture(scope="module")
def tiny() -> Iterator[None]:
    """The catalogue has the backbone `tiny`; not in processes that a test starts."""
    with backbone.offered():
        yield


@pytest.fixture
def zombie() -> Iterator[int]:
    """The number of a process that has ended and that nobody has waited for."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    yield process.pid
    process.wait()
