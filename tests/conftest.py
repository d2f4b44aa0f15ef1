"""Every test gets a workspace of its own; one that fails says on which processor."""

import os
import platform
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests import postgres as server
from tests.postgres import Postgres
from transfer import processes
from transfer.backbones import weights

#: What an instruction set is called among the flags of Linux, the newest first.
INSTRUCTION_SETS = {"amx_tile": "AMX", "avx512f": "AVX-512", "avx2": "AVX2"}
#: Files below these take longest. They come first: else one worker would still do
#: them while the others have nothing left.
LONGEST = ("end_to_end", "transfer/export", "transfer/worker", "transfer/test_main")
#: Holds TensorFlow to older instructions, and OpenVINO too.
HELD_TO = "ONEDNN_MAX_CPU_ISA"


def processor() -> str:
    """What the processor is called, the newest instructions it has, and its cores."""
    told = Path("/proc/cpuinfo")
    text = told.read_text() if told.exists() else platform.processor()
    names = (
        line.split(":")[1].strip() for line in text.splitlines() if "name\t" in line
    )
    newest = (said for flag, said in INSTRUCTION_SETS.items() if flag in text)
    parts = [next(names, platform.machine()), next(newest, "no AVX2")]
    parts += [
        f"{os.cpu_count()} cores",
        f"held to {os.environ.get(HELD_TO, 'nothing')}",
    ]
    return ", ".join(parts)


def pytest_configure() -> None:
    """Gives workers that tests start, in sessions of their own, a fair share."""
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text("5")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first and leaves all else in its order."""
    tests = Path(__file__).parent
    first = tuple(str(tests / name) for name in LONGEST)
    items.sort(key=lambda item: not str(item.path).startswith(first))


def pytest_report_header() -> str:
    """Names the processor above the results."""
    return f"processor: {processor()}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[
    None, pytest.TestReport, pytest.TestReport
]:
    """Names the processor beside each failure: bits and seconds depend on it."""
    report = yield
    if report.failed:
        report.sections.append(("processor", processor()))
    return report


@pytest.fixture
def without_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No package with weights is installed; below this folder they would lie."""
    folder = tmp_path / "packages"
    monkeypatch.setattr(weights, "_package_folder", lambda one: folder / one.name)
    return folder


@pytest.fixture(autouse=True)
def nice(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test makes its own process give way, which it could not take back.

    Nor does it limit its memory.
    """
    monkeypatch.setattr(processes, "give_way", lambda *_: None)
    monkeypatch.setattr(processes, "limit_memory", lambda *_: None)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace folder, named by TRANSFER_HOME."""
    home = tmp_path / "workspace"
    monkeypatch.setenv("TRANSFER_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The PostgreSQL of all tests of this process."""
    with server.running() as running:
        yield running
