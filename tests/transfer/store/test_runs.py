import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from tests.jobs_made import measure
from tests.transfer.store.runs_taken import FLOWERS, metric, running
from transfer.config import TrainConfig
from transfer.errors import NotFoundError, StorageError
from transfer.store import drivers, rows, tables
from transfer.store.runs import Store


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


def test_describe__changes_what_it_is_given(store: Store) -> None:
    run = store.create(FLOWERS, "first")
    store.describe(run.id, note=" worth a look ", tags=["b", "a", " a", ""])
    named = store.describe(run.id, name="best *so* far")
    assert (named.name, named.note) == ("best *so* far", "worth a look")
    assert named.tags == ("a", "b")
    assert store.describe(run.id, name=" ", tags=[]).name == "best *so* far"
    with pytest.raises(NotFoundError):
        store.describe("00000000", name="x")


def test_store__writers_in_many_threads_all_get_through(store: Store) -> None:
    run = running(store)

    def write(step: int) -> None:
        measure(store, run.id, [metric(step=step)])
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
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(FLOWERS)
    monkeypatch.setattr(drivers, "BUSY_TIMEOUT", 0.01)
    with store._database.writing() as other, closing(Store()) as impatient:
        rows.lock(other, run.id)
        with pytest.raises(StorageError, match="is locked: another program"):
            impatient.request_stop(run.id)
