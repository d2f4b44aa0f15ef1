"""Machines are woken by what others do, where the database can do that."""

from contextlib import closing

import pytest

from tests.both_databases import on_postgresql
from tests.patience import PATIENCE
from tests.postgres import Postgres
from tests.transfer.store.runs_taken import FLOWERS, HOST
from transfer.errors import ConfigError
from transfer.store import drivers
from transfer.store.machines import Machine
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus


def test_are_many__where_several_machines_can_work(store: Store, database: str) -> None:
    assert store.machines.are_many == (database == "postgresql")


@on_postgresql
def test_news__whatever_becomes_of_a_job(store: Store) -> None:
    news = store.machines.news(PATIENCE)
    assert next(news), "whoever begins to listen looks once"
    with closing(Store()) as other:
        run = other.create(FLOWERS)
        assert next(news)
        assert other.claim_next(HOST, {("run",): 1})
        assert next(news)
        other.request_stop(run.id)
        assert next(news)
        other.finish(run.id, JobStatus.STOPPED)
        assert next(news)
    news.close()


@on_postgresql
def test_news__signs_of_life_are_none(store: Store) -> None:
    store.create(FLOWERS)
    run = store.claim_next(HOST, {("run",): 1})
    assert isinstance(run, Run)
    news = store.machines.news(0.01)
    assert next(news)
    store.heartbeat(run.id, {"step": 1}, run.started_at)
    assert not next(news)
    news.close()


@on_postgresql
def test_reading__after_the_database_was_started_anew(
    store: Store, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(FLOWERS)
    monkeypatch.setattr(drivers, "IDLE", 0.0)
    postgres.end_others()
    assert store.get(run.id) == run


def machine(identity: str) -> Machine:
    """The one that is called `tower`."""
    about = {"kind": "machine", "cores": 8, "memory": 16e9, "gpus": 0.0, "slots": 2}
    return Machine(name="tower", identity=identity, **about)


def test_announce__who_is_there_is_found(store: Store) -> None:
    store.machines.announce([machine("first")], 1)
    store.machines.announce([machine("first")], 1)
    assert store.machines.all() == [machine("first")]
    store.machines.leave([machine("first")], 1)
    assert store.machines.all() == []


def test_announce__another_machine_of_the_same_name_is_refused(store: Store) -> None:
    store.machines.announce([machine("first")], 1)
    for process in (1, 2):  # machines count their processes each for itself
        with pytest.raises(ConfigError, match="TRANSFER_MACHINE"):
            store.machines.announce([machine("second")], process)
    assert store.machines.all() == [machine("first")]


def test_leave__a_machine_is_there_until_its_last_process_leaves(store: Store) -> None:
    store.machines.announce([machine("first")], 1)
    store.machines.announce([machine("first")], 2)
    store.machines.leave([machine("first")], 2)
    assert store.machines.all() == [machine("first")]
    store.machines.leave([machine("first")], 1)
    assert store.machines.all() == []


@on_postgresql
def test_announce__the_name_of_one_that_is_gone_may_be_used_again(
    store: Store, postgres: Postgres
) -> None:
    store.machines.announce([machine("first")], 1)
    postgres.tell("UPDATE machines SET seen_at = seen_at - 61")
    assert store.machines.all() == []
    store.machines.announce([machine("second")], 1)
    assert store.machines.all() == [machine("second")]
    store.machines.leave([machine("first")], 1)  # it slept, and is ended now
    assert store.machines.all() == [machine("second")]
    with pytest.raises(ConfigError, match="TRANSFER_MACHINE"):
        store.machines.announce([machine("first")], 1)
