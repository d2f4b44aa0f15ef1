"""Backups of either database: made while people work, restored to either."""

import threading
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from tests.both_databases import database, on_postgresql
from tests.jobs_made import measure
from tests.pictures import delete_dataset
from tests.postgres import Postgres
from tests.transfer.upkeep.test_backup import (
    check_whole,
    complete,
    import_pets,
    restored,
)
from transfer.errors import ConfigError, StorageError
from transfer.store import database as databases
from transfer.store.record import Metric
from transfer.store.runs import Store
from transfer.store.tables import metadata
from transfer.upkeep import backup, trash

__all__ = ["database"]


def rows_of(url: str | None = None) -> dict[str, list[tuple[object, ...]]]:
    """All rows of a database; of the one that is set if none is named."""
    engine = databases.open_database(url or databases.default_url())
    with engine.connect() as connection:
        found = {
            table.name: sorted(map(tuple, connection.execute(table.select())), key=str)
            for table in metadata.sorted_tables
        }
    engine.dispose()
    return found


def fill(store: Store) -> None:
    """Rows of many kinds, with text and numbers that databases may treat apart."""
    run = complete(store)
    values = [Metric(phase="head", epoch=2, name="loss", value=x) for x in (0.1, 1e-9)]
    measure(store, run, values)
    store.describe(run, "Größe ☃", "a note", ["best", "paper"])
    store.people.add(subject="ada", name="Ada ☃", role="participant", code="")
    store.datasets.own("pets", "12345678")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_restore__rows_come_to_either_database(
    to: str,
    postgres: Postgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(Store()) as store:
        fill(store)
    backup.write(tmp_path / "made.tar")
    before = rows_of()
    monkeypatch.delenv("TRANSFER_DATABASE_URL", raising=False)
    if to == "postgresql":
        postgres.empty()
        monkeypatch.setenv("TRANSFER_DATABASE_URL", postgres.url)
    home = restored(tmp_path / "made.tar", monkeypatch)
    assert rows_of() == before
    assert len(before["metrics"]) == 3
    assert (home / "store.sqlite").exists() == (to == "sqlite")
    with closing(Store()) as again:  # which counts on after what came
        complete(again)
        assert len(rows_of()["metrics"]) == 4


@pytest.mark.usefixtures("database")
@on_postgresql
def test_restore__refuses_a_database_with_rows(tmp_path: Path) -> None:
    with closing(Store()) as store:
        complete(store)
    backup.write(tmp_path / "made.tar")
    before = rows_of()
    with pytest.raises(ConfigError, match="not empty: it has jobs"):
        backup.restore(tmp_path / "made.tar", tmp_path / "back")
    assert rows_of() == before
    assert not [*(tmp_path / "back").iterdir()]


@pytest.mark.usefixtures("database")
@on_postgresql
def test_restore__leaves_no_rows_where_files_cannot_be_moved(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Store()) as store:
        complete(store)
    backup.write(tmp_path / "made.tar")
    postgres.empty()

    def refuse(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StorageError, match="no room"):
        backup.restore(tmp_path / "made.tar", tmp_path / "back")
    assert not rows_of()["jobs"]


@pytest.mark.usefixtures("database")
def test_write__while_datasets_and_runs_come_and_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in each of several backups is whole, whatever happened meanwhile."""
    Store().close()
    numbers, ending, problems = count(), threading.Event(), list[BaseException]()

    def runs() -> None:
        with closing(Store()) as mine:
            run = complete(mine)
            if next(numbers) % 3 == 0:
                trash.remove(mine, trash.put_run(mine, run).id)

    def datasets() -> None:
        number = next(numbers)
        import_pets(tmp_path / "come", f"pets {number}", number)
        if number % 2:
            delete_dataset(f"pets {number}")

    def repeat(work: Callable[[], None]) -> None:
        try:
            while not ending.is_set():
                work()
        except BaseException as error:  # noqa: BLE001  told at the end
            problems.append(error)

    at_work = [threading.Thread(target=repeat, args=[one]) for one in (runs, datasets)]
    for thread in at_work:
        thread.start()
    for number in range(4):
        backup.write(tmp_path / f"{number}.tar")
    ending.set()
    for thread in at_work:
        thread.join()
    assert not problems
    monkeypatch.delenv("TRANSFER_DATABASE_URL", raising=False)
    for number in range(4):
        restored(tmp_path / f"{number}.tar", monkeypatch, f"back {number}")
        check_whole()
