import math
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from transfer.config import TrainConfig
from transfer.errors import NotFoundError, RunError, StorageError
from transfer.store import database, tables
from transfer.store.record import Metric, Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus

FLOWERS = TrainConfig(dataset="flowers", backbone="mobilenet_v2_035", revision="r1")
HOST = "here"


def metric(name: str = "loss", value: float = 0.5, **fields: object) -> Metric:
    return Metric(
        **{"phase": "head", "epoch": 1, "name": name, "value": value} | fields
    )


def running(store: Store) -> Run:
    store.create(FLOWERS)
    run = store.claim_next(HOST, {("run",): 99})
    assert run
    return run


def test_create__gives_back_what_was_asked_for(store: Store) -> None:
    run = store.create(FLOWERS, "first try")
    assert (run.name, run.status, run.config) == ("first try", "queued", FLOWERS)
    assert (run.dataset, run.revision) == ("flowers", "r1")
    assert len(run.id) == 8 and int(run.id, 16) >= 0
    assert store.get(run.id) == run


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "MobileNetV2 0.35 · head only"),
        ({"freeze": "last:1"}, "MobileNetV2 0.35 · last block"),
        ({"freeze": "last:6"}, "MobileNetV2 0.35 · last 6 blocks"),
        ({"freeze": "blocks:block_3"}, "MobileNetV2 0.35 · block_3 only"),
        ({"freeze": "layers:a,b"}, "MobileNetV2 0.35 · 2 layers"),
        ({"method": "instant"}, "MobileNetV2 0.35 · instant"),
        ({"start_from": "0123abcd"}, "MobileNetV2 0.35 · head only, continued"),
        (
            {"freeze": "none", "weights": "random"},
            "MobileNetV2 0.35, random weights · everything",
        ),
    ],
)
def test_create__names_a_run_after_backbone_and_what_trains(
    store: Store, settings: dict[str, str], name: str
) -> None:
    config = TrainConfig(dataset="flowers", backbone="mobilenet_v2_035", **settings)
    assert store.create(config, " ").name == name


def test_get__a_run_that_was_named_after_its_dataset_says_what_trains(
    store: Store,
) -> None:
    run = store.create(FLOWERS, "flowers · mobilenet_v2_035")
    assert store.get(run.id).name == "MobileNetV2 0.35 · head only"


def test_get__by_beginning_of_the_id(store: Store) -> None:
    run = store.create(FLOWERS)
    assert store.get(run.id[:5].upper()) == run


def test_get__by_name_takes_the_newest(store: Store) -> None:
    store.create(FLOWERS, "same")
    assert store.create(FLOWERS, "same") == store.get("same")


def test_get__an_ambiguous_beginning_lists_the_ids(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = iter(["aa000001", "aa000001", "aa000002"])  # The second try takes the next.
    monkeypatch.setattr("secrets.token_hex", lambda _: next(ids))
    store.create(FLOWERS)
    store.create(FLOWERS)
    with pytest.raises(NotFoundError, match="aa00000.*, aa00000.*more of the id"):
        store.get("aa")


@pytest.mark.parametrize("unknown", ["", "%", "nothing"])
def test_get__an_unknown_run_says_how_to_list_them(store: Store, unknown: str) -> None:
    store.create(FLOWERS)
    with pytest.raises(NotFoundError, match="list of runs"):
        store.get(unknown)


def test_get__settings_of_another_version_are_still_read(store: Store) -> None:
    run = store.create(FLOWERS)
    old = {"backbone": "vgg16", "head_epochs": 0, "gone": 1}
    with store._database.writing() as connection:
        connection.execute(sa.update(tables.jobs).values(settings=old))
    config = store.get(run.id).config
    assert (config.dataset, config.backbone) == ("flowers", "vgg16")
    assert (config.head_epochs, config.batch_size) == (0, 32)


def test_runs__newest_first_and_limited(store: Store) -> None:
    runs = [store.create(FLOWERS) for _ in range(3)]
    assert store.runs() == runs[::-1]
    assert store.runs(limit=2) == runs[:0:-1]


def test_claim_next__takes_the_oldest_and_keeps_the_limit(store: Store) -> None:
    first, second = store.create(FLOWERS), store.create(FLOWERS)
    claimed = store.claim_next(HOST, {("run",): 1})
    assert claimed and (claimed.id, claimed.status) == (first.id, JobStatus.RUNNING)
    assert claimed.host == HOST and claimed.started_at
    assert store.claim_next(HOST, {("run",): 1}) is None
    store.request_stop(first.id)
    assert store.claim_next(HOST, {("run",): 1}) is None, (
        "a stopping run still takes its place"
    )
    other = store.claim_next("elsewhere", {("run",): 1})
    assert other and other.id == second.id


def test_claim_next__threads_at_once_get_each_run_once(store: Store) -> None:
    for _ in range(6):
        store.create(FLOWERS)
    together = threading.Barrier(8)

    def claim(_: int) -> Run | None:
        together.wait()
        return store.claim_next(HOST, {("run",): 4})

    with ThreadPoolExecutor(8) as pool:
        claimed = [run.id for run in pool.map(claim, range(8)) if run]
    assert len(claimed) == len(set(claimed)) == 4


def test_claim_next__processes_at_once_get_each_run_once(store: Store) -> None:
    for _ in range(3):
        store.create(FLOWERS)
    code = (
        "import sys; from transfer.store.runs import Store\n"
        "store = Store(); print('ready', flush=True); sys.stdin.readline()\n"
        "found = [store.claim_next('here', {('run',): 2}) for _ in range(3)]\n"
        "print(*[run.id for run in found if run])"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", code]
    workers = [subprocess.Popen(command, **pipes) for _ in range(2)]
    for worker in workers:
        worker.stdout.readline()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    claimed = [one for worker in workers for one in worker.communicate()[0].split()]
    assert len(claimed) == len(set(claimed)) == 2


def test_transition__refuses_what_the_table_does_not_hold(store: Store) -> None:
    run = store.create(FLOWERS)
    with pytest.raises(RunError, match="is queued"):
        store.transition(run.id, JobStatus.COMPLETED)
    assert store.get(run.id) == run


def test_transition__of_an_unknown_run(store: Store) -> None:
    with pytest.raises(NotFoundError, match="may have been deleted"):
        store.transition("00000000", JobStatus.RUNNING)


def test_begin__notes_the_process(store: Store) -> None:
    run = store.begin(running(store).id)
    assert run.pid and run.pid_started_at and run.heartbeat_at


def test_begin__of_a_run_that_nobody_took(store: Store) -> None:
    with pytest.raises(RunError, match="is queued: no process"):
        store.begin(store.create(FLOWERS).id)


def test_heartbeat__keeps_the_progress_that_it_is_not_given(store: Store) -> None:
    run = running(store)
    store.heartbeat(run.id, {"epoch": 3})
    assert store.heartbeat(run.id) == "running"
    assert store.get(run.id).progress == {"epoch": 3}


def test_heartbeat__tells_a_worker_that_the_run_is_not_its_own(store: Store) -> None:
    run = running(store)
    store.finish(run.id, JobStatus.INTERRUPTED)
    with pytest.raises(RunError, match="is interrupted"):
        store.heartbeat(run.id)


def test_claim__a_worker_that_was_taken_for_dead_changes_nothing(store: Store) -> None:
    old = running(store)
    store.finish(old.id, JobStatus.INTERRUPTED)
    store.resume(old.id)
    new = store.claim_next("there", {("run",): 9})
    assert new and new.id == old.id and new.started_at != old.started_at
    row = Metric(phase="head", epoch=1, name="loss", value=1.0)
    for late in (
        lambda: store.heartbeat(old.id, claim=old.started_at),
        lambda: store.metrics.add(old.id, [row], claim=old.started_at),
        lambda: store.finish(old.id, JobStatus.FAILED, claim=old.started_at),
    ):
        with pytest.raises(RunError, match="another process"):
            late()
    store.heartbeat(new.id, claim=new.started_at)
    assert store.get(new.id).status is JobStatus.RUNNING
    assert not store.metrics.after(new.id)


def test_request_stop__a_queued_run_is_stopped_at_once(store: Store) -> None:
    run = store.request_stop(store.create(FLOWERS).id)
    assert run.status == "stopped" and run.ended_at


def test_request_stop__a_running_run_is_asked(store: Store) -> None:
    run = running(store)
    assert not store.stop_requested(run.id)
    stopping = store.request_stop(run.id)
    assert stopping.status == "stopping" and stopping.stop_requested_at
    assert store.stop_requested(run.id)


def test_request_stop__says_what_an_ended_run_is(store: Store) -> None:
    run = running(store)
    store.finish(run.id, JobStatus.COMPLETED)
    with pytest.raises(RunError, match="is completed: only"):
        store.request_stop(run.id)


def test_stop_requested__when_the_run_is_gone(store: Store) -> None:
    assert store.stop_requested("00000000")


def test_finish__keeps_result_and_error(store: Store) -> None:
    error = {"kind": "TrainingError", "message": "not finite", "hint": "smaller"}
    run = store.finish(running(store).id, JobStatus.FAILED, {"best_epoch": 2}, error)
    assert (run.status, run.result, run.error) == ("failed", {"best_epoch": 2}, error)
    assert run.ended_at


def test_resume__queues_an_interrupted_run_without_its_worker(store: Store) -> None:
    run = store.begin(running(store).id)
    store.request_stop(run.id)
    store.finish(run.id, JobStatus.INTERRUPTED, error={"kind": "x"})
    again = store.resume(run.id)
    assert (again.status, again.pid, again.ended_at) == ("queued", None, None)
    assert (again.stop_requested_at, again.error) == (None, {})


def test_resume__not_a_completed_run(store: Store) -> None:
    run = running(store)
    store.finish(run.id, JobStatus.COMPLETED)
    with pytest.raises(RunError, match="is completed.*ended for good"):
        store.resume(run.id)


def test_finish__a_resumed_run_that_fails_keeps_the_model_it_had(store: Store) -> None:
    run = running(store)
    store.finish(run.id, JobStatus.STOPPED, {"class_names": ["a"]})
    store.resume(run.id)
    store.claim_next(HOST, {("run",): 9})
    ended = store.finish(run.id, JobStatus.FAILED, error={"kind": "x"})
    assert ended.result == {"class_names": ["a"]}


def test_drop_metrics__keeps_what_the_checkpoint_has_seen(store: Store) -> None:
    run = running(store)
    for phase in ("head", "fine_tune"):
        for epoch in (1, 2):
            rows = [metric(phase=phase, epoch=epoch, step=step) for step in (1, 2)]
            store.metrics.add(run.id, [*rows, metric(phase=phase, epoch=epoch)])

    def left() -> list[tuple[str, int, int | None]]:
        return [(m.phase, m.epoch, m.step) for m in store.metrics.after(run.id)]

    head = [("head", epoch, step) for epoch in (1, 2) for step in (1, 2, None)]
    assert store.metrics.count_done(run.id) == (8, 4)
    store.metrics.drop(run.id, "fine_tune", epoch=0, step=1)
    assert left() == [*head, ("fine_tune", 1, 1)]
    store.metrics.drop(run.id, "head", epoch=1)
    assert left() == head[:3]
    store.metrics.drop(run.id)
    assert left() == []


def test_describe__changes_what_it_is_given(store: Store) -> None:
    run = store.create(FLOWERS, "first")
    store.describe(run.id, note=" worth a look ", tags=["b", "a", " a", ""])
    named = store.describe(run.id, name="best *so* far")
    assert (named.name, named.note) == ("best *so* far", "worth a look")
    assert named.tags == ("a", "b")
    assert store.describe(run.id, name=" ", tags=[]).name == "best *so* far"
    with pytest.raises(NotFoundError):
        store.describe("00000000", name="x")


def test_delete__removes_record_and_metrics(store: Store) -> None:
    run = running(store)
    store.metrics.add(run.id, [metric()])
    store.finish(run.id, JobStatus.COMPLETED)
    store.delete(run.id)
    assert store.runs() == [] and store.metrics.after(run.id) == []


def test_delete__refuses_a_run_that_a_worker_has(store: Store) -> None:
    run = running(store)
    with pytest.raises(RunError, match="is running.*Stop it first"):
        store.delete(run.id)


def test_add_metrics__values_come_back_in_order(store: Store) -> None:
    run = running(store)
    rows = [metric(step=1), metric("accuracy", 1e-12, step=1), metric(epoch=2)]
    store.metrics.add(run.id, rows)
    found = store.metrics.after(run.id)
    assert [(one.name, one.value, one.step, one.epoch) for one in found] == [
        ("loss", 0.5, 1, 1),
        ("accuracy", 1e-12, 1, 1),
        ("loss", 0.5, None, 2),
    ]
    assert [one.at for one in found] == [one.at for one in rows]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_add_metrics__values_that_are_not_finite_survive(
    store: Store, value: float
) -> None:
    run = running(store)
    store.metrics.add(run.id, [metric(value=value)])
    assert math.isnan(store.metrics.after(run.id)[0].value)


def test_add_metrics__nothing_is_nothing(store: Store) -> None:
    store.metrics.add(running(store).id, [])


def test_add_metrics__of_a_run_that_was_deleted(store: Store) -> None:
    with pytest.raises(NotFoundError, match="may have been deleted"):
        store.metrics.add("00000000", [metric()])


def test_metrics_after__only_what_is_newer(store: Store) -> None:
    run, other = running(store), running(store)
    store.metrics.add(run.id, [metric(step=step) for step in range(5)])
    store.metrics.add(other.id, [metric(step=9)])
    seen = store.metrics.after(run.id, limit=2)
    assert [one.step for one in seen] == [0, 1]
    newer = store.metrics.after(run.id, seen[-1].id)
    assert [one.step for one in newer] == [2, 3, 4]


def test_metrics_after__ids_are_never_used_again(store: Store) -> None:
    run, other = running(store), running(store)
    store.metrics.add(run.id, [metric()])
    last = store.metrics.after(run.id)[-1].id
    store.finish(run.id, JobStatus.STOPPED)
    store.delete(run.id)
    store.metrics.add(other.id, [metric()])
    assert store.metrics.after(other.id)[0].id > last


def test_epoch_metrics__without_steps_and_the_later_of_two(store: Store) -> None:
    run = running(store)
    store.metrics.add(run.id, [metric(step=1), metric(value=3), metric(value=2)])
    assert [one.value for one in store.metrics.of_epochs(run.id)] == [2]


def test_store__writers_in_many_threads_all_get_through(store: Store) -> None:
    run = running(store)

    def write(step: int) -> None:
        store.metrics.add(run.id, [metric(step=step)])
        store.heartbeat(run.id, {"step": step})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert len(store.metrics.after(run.id)) == 40


def test_store__a_broken_file_is_said_in_plain_words(workspace: Path) -> None:
    workspace.mkdir()
    (workspace / "store.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(StorageError, match="not a database.*TRANSFER_HOME"):
        Store()


@pytest.mark.parametrize("url", ["nonsense", "nodialect://h/d", "sqlite+nodriver:///x"])
def test_store__an_address_that_is_none(workspace: Path, url: str) -> None:
    with pytest.raises(StorageError, match="cannot be used.*DRIVER"):
        Store(url)


def test_store__another_address_by_the_environment(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "elsewhere.sqlite"
    monkeypatch.setenv("TRANSFER_DATABASE_URL", f"sqlite:///{file}")
    Store().close()
    assert file.exists() and not (workspace / "store.sqlite").exists()


def test_reading__says_that_all_connections_are_in_use(store: Store) -> None:
    store._database._engine = engine = store._database._engine.execution_options()
    engine.pool = QueuePool(
        lambda: sqlite3.connect(":memory:"), pool_size=1, max_overflow=0, timeout=0.01
    )
    with engine.connect(), pytest.raises(StorageError, match="All connections"):
        store.runs()


def test_writing__says_that_the_store_is_locked(
    store: Store, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.01)
    impatient = Store()
    with closing(sqlite3.connect(workspace / "store.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="is locked: another program"):
            impatient.create(FLOWERS)
    impatient.close()
