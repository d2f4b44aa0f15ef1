"""Which machines do jobs of a store, as each says of itself."""

import os

import pytest

from tests.both_databases import on_postgresql
from tests.statements import statements
from transfer.runs import machines
from transfer.runs.supervisor import Supervisor
from transfer.store.runs import Store


def test_announce__is_not_written_where_nobody_reads_it(
    store: Store, database: str
) -> None:
    with statements(store) as told:
        machines.announce(store, machines.here())
        machines.leave(store)
    assert bool(told) == (database == "postgresql")


def test_announce__of_nodes_is_written_for_the_servers_of_a_cluster(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = machines.here()
    monkeypatch.setenv("TRANSFER_ENGINE", "ray")
    machines.announce(store, here)
    assert [one.name for one in machines.others(store)] == [here[0].name]


@on_postgresql
def test_leave__another_process_of_this_machine_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server, and `python -m transfer worker` beside it."""
    own = os.getpid()
    machines.announce(store, machines.here())
    monkeypatch.setattr(os, "getpid", lambda: own + 1)
    machines.check_name(store)
    machines.leave(store)
    assert [one.name for one in store.machines.all()] == [machines.here()[0].name]
    monkeypatch.setattr(os, "getpid", lambda: own)
    machines.leave(store)
    assert not store.machines.all()


@on_postgresql
def test_leave__a_supervisor_that_ends_leaves_who_took_its_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = Supervisor()
    supervisor.tick()
    assert store.machines.all() and not supervisor.problem
    with store._database.writing() as connection:  # it was silent for long
        connection.exec_driver_sql("UPDATE machines SET seen_at = seen_at - 61")
    monkeypatch.setattr("transfer.processes.identity", lambda: "another")
    machines.check_name(store)
    monkeypatch.undo()
    assert supervisor._store
    machines.leave(supervisor._store)
    assert [one.identity for one in store.machines.all()] == ["another"]
