import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from transfer.runs.supervisor import Supervisor
from transfer.store.runs import Store
from transfer.upkeep import health

WELL = cast(Supervisor, SimpleNamespace(problem="", silent_seconds=0.0))


def test_look__where_all_is_well(store: Store) -> None:
    assert health.look(WELL) == {"store": "", "workspace": "", "supervisor": ""}


def test_look__a_store_of_a_newer_program(store: Store, workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "store.sqlite")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    assert "version 9999" in health.look(WELL)["store"]


def test_look__a_disk_that_is_nearly_full(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=200e6)
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _: usage)
    assert "200 MB are free" in health.look(WELL)["workspace"]


def test_look__a_workspace_that_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path / "file" / "home"))
    found = health.look(WELL)
    assert "could not be written" in found["workspace"]
    assert found["store"]


def test_supervisor__says_what_its_last_round_met(tmp_path: Path) -> None:
    def fail() -> Store:
        raise OSError("no disk")

    supervisor = Supervisor(fail)
    supervisor.tick()
    assert "no disk" in health.look(supervisor)["supervisor"]
    assert supervisor.silent_seconds < health.STANDS_STILL
