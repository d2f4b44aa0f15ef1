import os
import re

import pytest

from tests.transfer.runs.processes_made import FLOWERS, taken, taken_run
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.upkeep import metrics


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stands from an earlier test."""
    (stand,) = (
        one
        for one in metrics.registry._collector_to_names
        if isinstance(one, metrics._Stand)
    )
    monkeypatch.setattr(stand, "_made", metrics.OnceAWhile(0.0))


def values() -> dict[str, float]:
    """What Prometheus reads of ours."""
    lines = metrics.text().decode().splitlines()
    ours = (line.rpartition(" ") for line in lines if line.startswith("transfer_"))
    return {name: float(value) for name, _, value in ours}


def test_text__jobs_by_kind_and_state(store: Store) -> None:
    first = store.create(FLOWERS)
    store.request_stop(first.id)
    taken(store, "rank", 1)
    waits = [store.create(FLOWERS) for _ in range(2)]
    found = values()
    assert found['transfer_jobs{kind="run",status="queued"}'] == 2
    assert found['transfer_jobs{kind="run",status="stopped"}'] == 1
    assert found['transfer_jobs{kind="rank",status="running"}'] == 1
    oldest = found["transfer_queue_oldest_timestamp_seconds"]
    assert oldest == pytest.approx(waits[0].created_at)


def test_text__memory_of_the_server_and_of_workers(store: Store) -> None:
    parent = os.getppid()
    taken_run(store, parent)
    found = values()
    assert found['transfer_memory_bytes{process="server"}'] > 10e6
    assert found['transfer_processes{process="worker"}'] >= 1
    assert found['transfer_memory_bytes{process="worker"}'] > 0
    assert found["transfer_disk_free_bytes"] > 0


def test_text__no_label_is_an_id(store: Store) -> None:
    run = taken_run(store, 1)
    store.finish(run.id, JobStatus.COMPLETED, {})
    text = metrics.text().decode()
    assert run.id not in text and "flowers" not in text
    assert not re.search(r'"[0-9a-f]{8}"', text)
