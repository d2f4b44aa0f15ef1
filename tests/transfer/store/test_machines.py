"""Machines are woken by what others do, where the database can do that."""

from contextlib import closing

import pytest

from tests.both_databases import on_postgresql
from tests.patience import PATIENCE
from tests.postgres import Postgres
from tests.transfer.store.runs_taken import FLOWERS, HOST
from transfer.store import drivers
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
