"""Jobs on a Ray cluster of this machine, with real nodes and real processes."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests import ray_nodes
from tests.both_databases import database, on_postgresql
from tests.patience import wait_for
from tests.transfer.worker.test_killed import settings, wait_for_epoch
from tests.transfer.worker.test_machines import (
    check_all_came_to_the_same_end,
    lose_power,
    resumed_of,
    runs_of_four,
    server,
)
from transfer.runs import queue
from transfer.runs.requests import Request
from transfer.runs.supervisor import Supervisor
from transfer.store import files
from transfer.store.runs import Store
from transfer.store.status import JobStatus

__all__ = ["database"]


@contextmanager
def working() -> Iterator[Supervisor]:
    """What a server does for the jobs."""
    supervisor = Supervisor()
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()


def pids(node: ray_nodes.Node, word: str) -> list[int]:
    """Of the processes of a node whose command has this word."""
    found = []
    for one in node.processes():
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            found += [one.pid] if word in " ".join(one.cmdline()) else []
    return found


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_ray__a_run_is_stopped_goes_on_and_is_found_by_another_server(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(settings(tmp_path), "on a node")
    # Its log cannot be written there.
    light = queue.ask(store, Request("export", "it", ("export",)))
    files.log(light.kind, light.id).mkdir(parents=True)
    with ray_nodes.running() as nodes:
        monkeypatch.setenv("TRANSFER_ENGINE", "ray")
        monkeypatch.setenv("RAY_ADDRESS", nodes[0].address)
        with working():
            begun = wait_for_epoch(store, run.id, "fine_tune", 10)
            assert begun.host and begun.host.startswith("head (Ray ")
            # The node's spare worker does it; there is none beside it.
            assert pids(nodes[0], "--spare") == [begun.pid]
        # Without a server it goes on; others, which find it, hear of its end.
        with working(), working():
            queue.stop(store, run.id)
            wait_for(lambda: store.get(run.id).status.is_final)
            assert store.get(run.id).status is JobStatus.STOPPED
            queue.resume(store, run.id)
            wait_for(lambda: store.get(run.id).status.is_final)
            assert len(pids(nodes[0], "ray::SpareKeeper")) == 1, "for all servers"
    failed = store.get_job(light.id)
    assert failed.status is JobStatus.FAILED
    assert "could not be started" in failed.error["message"]
    ended = store.get(run.id)
    assert ended.status is JobStatus.COMPLETED, ended.error
    assert "Resumed in the" in files.log("run", run.id).read_text()
    stored = [(m.phase, m.epoch, m.step, m.name) for m in store.metrics.after(run.id)]
    assert len(stored) == len(set(stored)), "nothing is told twice"


@pytest.mark.slow
@on_postgresql
def test_ray__nodes_and_servers_of_which_some_are_lost(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve runs of four people: all end, none is lost, none is done twice."""
    runs = runs_of_four(store, tmp_path)

    def is_at_work(name: str) -> bool:
        return any(
            (job.host or "").startswith(name)
            and job.progress.get("phase") == "fine_tune"
            for job in store.active()
        )

    # The head does no jobs: with it the cluster would be lost.
    with ray_nodes.running(environment=ray_nodes.QUICK, cores=0) as nodes:
        head = nodes[0]
        nodes += [head.beside("one"), head.beside("two")]
        monkeypatch.setenv("TRANSFER_ENGINE", "ray")
        monkeypatch.setenv("RAY_ADDRESS", head.address)
        with server("pages 1") as lost_server, server("pages 2"):
            wait_for(lambda: is_at_work("two"))
            nodes[2].kill()
            nodes.append(head.beside("three"))
            wait_for(lambda: is_at_work("three"))
            lose_power(lost_server)
            wait_for(lambda: all(store.get(one.id).status.is_final for one in runs))
    ended = check_all_came_to_the_same_end(store, runs)
    assert resumed_of(ended)
    hosts = {(one.host or "").partition(" ")[0] for one in ended}
    assert hosts == {"one", "three"}
