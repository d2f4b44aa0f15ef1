import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.postgres import Postgres
from transfer.config import TrainConfig
from transfer.errors import StorageError
from transfer.store import copies, database, tables
from transfer.store.runs import Store

VERSIONS = sorted(path.stem[1:5] for path in database.MIGRATIONS.glob("versions/v*.py"))


def migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


@pytest.fixture
def file(workspace: Path) -> Path:
    workspace.mkdir()
    return workspace / "store.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
def address(
    request: pytest.FixtureRequest, file: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Of a database without any table, which is the one that is used."""
    if request.param == "sqlite":
        yield f"sqlite:///{file}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    postgres.begin_anew(with_tables=False)
    monkeypatch.setenv("TRANSFER_DATABASE_URL", postgres.url)
    yield postgres.url
    postgres.begin_anew()


def make(address: str, version: str) -> None:
    """A database as that version left it, with one run and one metric."""
    config, engine = migrations(), sa.create_engine(address)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        insert = (
            "INSERT INTO runs (id, name, status, config, dataset, revision, created_at,"
            " progress, result, error) VALUES ('abcdef01', 'old', 'completed', '{}',"
            " 'flowers', '', 5, '{}', '{\"val_accuracy\": 0.9}', '{}')"
        )
        if version >= "0003":
            insert = insert.replace("INTO runs", "INTO jobs")
            insert = insert.replace("config", "settings")
        connection.exec_driver_sql(insert)
        connection.exec_driver_sql(
            "INSERT INTO metrics (run_id, phase, epoch, name, value, at)"
            " VALUES ('abcdef01', 'head', 1, 'loss', 0.25, 5)"
        )
    engine.dispose()


def test_newest_version__is_the_head_of_the_migrations() -> None:
    head = ScriptDirectory.from_config(migrations()).get_current_head()
    assert database.newest_version() == head


@pytest.mark.parametrize("version", ["", *VERSIONS])
def test_open_database__every_old_schema_becomes_the_present_one(
    address: str, version: str
) -> None:
    if version:
        make(address, version)
    engine = database.open_database(address)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_open_database__sqlite_is_set_up_for_several_processes(file: Path) -> None:
    engine = database.open_database(f"sqlite:///{file}")
    with engine.connect() as connection:
        asked = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {one}").scalar() for one in asked
        ]
        assert pragmas == ["wal", 1, 1, 30_000]
    engine.dispose()


@pytest.mark.parametrize("version", VERSIONS)
def test_open_database__what_was_stored_survives(address: str, version: str) -> None:
    make(address, version)
    store = Store()
    run = store.get("old")
    assert (run.id, run.status) == ("abcdef01", "completed")
    assert run.result == {"val_accuracy": 0.9}
    assert (run.note, run.tags) == ("", ())
    (listed,) = store.summaries()
    assert (listed.name, listed.dataset) == ("old", "flowers")
    assert listed.config.backbone == TrainConfig(dataset="flowers").backbone
    assert [one.value for one in store.metrics.after(run.id)] == [0.25]
    store.close()


@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_open_database__what_is_migrated_is_copied_first(
    file: Path, version: str
) -> None:
    make(f"sqlite:///{file}", version)
    Store().close()
    Store().close()
    (kept,) = file.parent.glob("store-*.sqlite")
    assert kept.name.startswith(f"store-{version}-")
    with closing(sqlite3.connect(kept)) as copy:
        (found,) = copy.execute("SELECT version_num FROM alembic_version").fetchone()
        assert found == version
        assert copy.execute("SELECT value FROM metrics").fetchall() == [(0.25,)]


def test_open_database__few_copies_of_migrated_ones_are_kept(file: Path) -> None:
    make(f"sqlite:///{file}", VERSIONS[0])
    first = copies.keep(file, VERSIONS[0])
    others = [copies.keep(file, VERSIONS[0]) for _ in range(copies.KEPT)]
    assert sorted(file.parent.glob("store-*.sqlite")) == others
    assert not first.exists()


def test_open_database__a_new_one_is_not_copied(workspace: Path) -> None:
    Store().close()
    assert not list(workspace.glob("store-*.sqlite"))


@pytest.mark.parametrize("version", VERSIONS[:2])
def test_open_database__what_earlier_versions_kept_in_folders_is_found(
    file: Path, version: str
) -> None:
    make(f"sqlite:///{file}", version)
    home = file.parent
    for name, said in {
        "rank-0a1b": {"state": "done", "result": {"candidates": [1]}},
        "sweep-0a1b-vgg16": {
            "state": "cancelled",
            "progress": {"a": 1},
        },
        "rates-0a1b-c2d3": {"state": "failed", "error": {"message": "No number."}},
        "evaluate-abcdef01-test": {"state": "done"},
        "export-abcdef01-onnx-none": {"state": "done", "result": {"parity": {}}},
        "rank-4e5f": {"state": "running"},
        "else-1": {"state": "done"},
    }.items():
        (home / "jobs" / name).mkdir(parents=True)
        (home / "jobs" / name / "status.json").write_text(json.dumps(said))
    (home / "jobs" / "rank-broken").mkdir()
    (home / "jobs" / "rank-broken" / "status.json").write_text("{")
    (home / "details").mkdir()
    (home / "details" / "abcdef01").write_bytes(b"")
    store = Store()
    rank = store.find("rank", "0a1b")
    assert rank and rank.status == "completed" and rank.result == {"candidates": [1]}
    depths = store.find("depths", "0a1b-vgg16")
    assert depths and (depths.status, depths.progress) == ("stopped", {"a": 1})
    rates = store.find("rates", "0a1b-c2d3")
    assert rates and rates.status == "failed"
    assert rates.error == {"message": "No number."}
    assert store.find("evaluate", "abcdef01-test")
    export = store.find("export", "abcdef01-onnx-none")
    assert export and export.result == {"parity": {}} and export.ended_at
    assert store.find("rank", "4e5f") is None
    (details,) = store.waiting()
    assert (details.kind, details.subject) == ("evaluate", "abcdef01-val")
    assert details.priority < 0 and details.settings["words"][0] == "evaluate"
    assert [run.id for run in store.runs()] == ["abcdef01"]
    store.close()


def test_open_database__a_newer_version_is_refused(file: Path) -> None:
    Store().close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StorageError, match="version 9999.*newer Transfer Studio"):
        Store()


def test_open_database__a_new_and_an_up_to_date_one_need_no_alembic(
    workspace: Path,
) -> None:
    code = (
        "import sys; from transfer.store.runs import Store; Store().close();"
        "Store().close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_open_database__threads_at_once_create_it_once(address: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: Store(), range(8)))
    assert [store.runs() for store in stores] == [[]] * 8
    for store in stores:
        store.close()


def test_open_database__processes_at_once_create_it_once(address: str) -> None:
    code = "from transfer.store.runs import Store; print(len(Store().runs()))"
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    starting = [subprocess.Popen(command, stdout=pipe, stderr=pipe) for _ in range(3)]
    assert [one.communicate() for one in starting] == [(b"0\n", b"")] * 3


def test_open_database__strange_characters_in_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "50% of what? a #1 ünit"
    monkeypatch.setenv("TRANSFER_HOME", str(home))
    Store().close()
    assert (home / "store.sqlite").exists()


def test_open_database__a_file_that_is_no_database(file: Path) -> None:
    file.write_bytes(b"no database, but long enough to be taken for one" * 99)
    with pytest.raises(StorageError, match="cannot be used: file is not a database"):
        Store()
