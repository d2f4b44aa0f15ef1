"""Two machines at one store and one folder: what one leaves, the other goes on with."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.both_databases import database, on_postgresql
from tests.patience import wait_for
from tests.postgres import Postgres
from tests.test_deploy import free_port
from tests.transfer.worker.test_killed import settings, wait_for_epoch
from transfer import processes
from transfer.__main__ import main
from transfer.store import files
from transfer.store.people import Role
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus

__all__ = ["database"]


WORKER = ("transfer", "worker")


@contextmanager
def machine(name: str, words: Sequence[str] = WORKER) -> Iterator[psutil.Process]:
    """What a machine that is called so does; it loses its power in the end."""
    named = {"TRANSFER_MACHINE": name, "TRANSFER_SPARE_WORKER": "0"}
    command = [sys.executable, "-m", *words]
    environment = processes.environment() | named
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as one:
        process = psutil.Process(one.pid)
        try:
            yield process
        finally:
            lose_power(process)


def server(name: str) -> AbstractContextManager[psutil.Process]:
    """The app, on a machine that is called so."""
    app = str(Path(__file__).parents[3] / "app.py")
    options = ["--server.port", str(free_port()), "--server.headless", "true"]
    return machine(name, ["streamlit", "run", app, *options])


def lose_power(machine: psutil.Process) -> None:
    """Ends all processes of a machine at once, without a word."""
    with suppress(psutil.NoSuchProcess):
        for one in [*machine.children(recursive=True), machine]:
            one.kill()


@pytest.mark.slow
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


def runs_of_four(store: Store, folder: Path) -> list[Run]:
    """Twelve runs of four people that wait, all of the same settings."""
    people = [
        store.people.add(subject=name, name=name, role=Role.ADMINISTRATOR)
        for name in ("Ada", "Bob", "Cem", "Dana")
    ]
    config = settings(folder)
    return [
        store.create(config, f"{one.name} {number}", one.id)
        for number in range(3)
        for one in people
        if one
    ]


def check_all_came_to_the_same_end(store: Store, runs: Sequence[Run]) -> list[Run]:
    """Those of `runs_of_four` at their end: complete, none told of anything twice."""
    ended = [store.get(one.id) for one in runs]
    assert Counter(one.status for one in ended) == {JobStatus.COMPLETED: len(ended)}
    assert set(Counter(one.owner for one in ended).values()) == {3}
    losses = [
        {
            (m.phase, m.epoch): m.value
            for m in store.metrics.after(one.id)
            if m.step is None and m.name == "loss"
        }
        for one in ended
    ]
    # As they are of the same settings, and one that is resumed comes to the same end.
    assert all(one == losses[0] for one in losses)
    for one in ended:
        stored = [
            (m.phase, m.epoch, m.step, m.name) for m in store.metrics.after(one.id)
        ]
        assert len(stored) == len(set(stored)), "nothing is told twice"
    return ended


def resumed_of(ended: Sequence[Run]) -> list[Run]:
    """Those that went on elsewhere."""
    logs = {one.id: files.log("run", one.id).read_text() for one in ended}
    return [one for one in ended if "Resumed in" in logs[one.id]]


@pytest.mark.slow
@on_postgresql
def test_machines__two_servers_and_workers_of_which_some_are_lost(
    store: Store, tmp_path: Path
) -> None:
    """Twelve runs of four people: all end, none is lost, none is done twice."""
    runs = runs_of_four(store, tmp_path)

    def is_at_work(name: str) -> bool:
        return any(
            job.host == name and job.progress.get("phase") == "fine_tune"
            for job in store.active()
        )

    with (
        server("pages 1") as lost_server,
        server("pages 2"),
        machine("worker 1") as lost_worker,
        machine("worker 2"),
    ):
        wait_for(lambda: is_at_work("worker 1"))
        lose_power(lost_worker)
        with machine("worker 3"):
            wait_for(lambda: is_at_work("pages 1"))
            lose_power(lost_server)
            wait_for(lambda: all(store.get(one.id).status.is_final for one in runs))
    resumed = resumed_of(check_all_came_to_the_same_end(store, runs))
    assert len(resumed) >= 2


def test_worker__a_database_that_is_a_file_is_for_one_machine(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["worker"]) == 2
    assert "TRANSFER_DATABASE_URL" in capsys.readouterr().err
