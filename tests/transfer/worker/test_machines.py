"""Two machines at one store and one folder: what one leaves, the other goes on with."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.both_databases import database, on_postgresql
from tests.patience import wait_for
from tests.postgres import Postgres
from tests.transfer.worker.test_killed import settings, wait_for_epoch
from transfer import processes
from transfer.__main__ import main
from transfer.store import files
from transfer.store.runs import Store
from transfer.store.status import JobStatus

__all__ = ["database"]


@contextmanager
def machine(name: str) -> Iterator[psutil.Process]:
    """`python -m transfer worker`, on a machine that is called so."""
    named = {"TRANSFER_MACHINE": name, "TRANSFER_SPARE_WORKER": "0"}
    command = [sys.executable, "-m", "transfer", "worker"]
    environment = processes.environment() | named
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as one:
        process = psutil.Process(one.pid)
        try:
            yield process
        finally:
            lose_power(process)


def lose_power(machine: psutil.Process) -> None:
    """Ends all processes of a machine at once, without a word."""
    with suppress(psutil.NoSuchProcess):
        for one in [*machine.children(recursive=True), machine]:
            one.kill()


@on_postgresql
def test_worker__what_a_lost_machine_did_goes_on_elsewhere(
    store: Store, postgres: Postgres, tmp_path: Path
) -> None:
    run = store.create(settings(tmp_path), "moves")
    with machine("first") as first:
        begun = wait_for_epoch(store, run.id, "fine_tune", 40)
        assert begun.host == "first"
        lose_power(first)
    # As if more than a minute had gone by since.
    postgres.tell(
        "UPDATE jobs SET started_at = started_at - 99, heartbeat_at = heartbeat_at - 99"
    )
    with machine("second"):
        wait_for(lambda: store.get(run.id).status.is_final)
    ended = store.get(run.id)
    assert ended.status is JobStatus.COMPLETED, ended.error
    assert (ended.host, ended.error) == ("second", {})
    assert "Resumed in the" in files.log("run", run.id).read_text()
    stored = Counter(
        (one.phase, one.epoch, one.step, one.name)
        for one in store.metrics.after(run.id)
    )
    assert set(stored.values()) == {1}, "nothing is told twice"
    epochs = {epoch for phase, epoch, step, _ in stored if phase == "fine_tune"}
    assert epochs == set(range(1, max(epochs) + 1)), "and nothing is left out"


def test_worker__a_database_that_is_a_file_is_for_one_machine(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["worker"]) == 2
    assert "TRANSFER_DATABASE_URL" in capsys.readouterr().err
