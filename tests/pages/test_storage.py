"""The page Storage: what was deleted comes back, or goes at once."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared import session
from tests.pages.opened import opened
from tests.patience import PATIENCE
from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.datasets.ingest import importer
from transfer.people import sessions
from transfer.store.people import Role
from transfer.store.runs import Store
from transfer.upkeep import trash


@pytest.fixture(autouse=True)
def fresh(workspace: Path) -> None:
    """A store of this test's own workspace."""
    st.cache_resource.clear()


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    return make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})


#: A dialog by itself: AppTest runs the whole page again, and not what is in a dialog.
DIALOG = """
from pages.storage import trash
from transfer.people import sessions
from transfer.store.people import Role
from transfer.store.runs import Store
for one in Store().trash.all()[:1]:
    trash.{}
"""


def dialog(call: str) -> AppTest:
    return AppTest.from_string(DIALOG.format(call)).run(timeout=PATIENCE)


def press(at: AppTest, label: str) -> AppTest:
    next(one for one in at.button if one.label == label).click()
    at.run()
    assert not at.exception
    return at


def said(at: AppTest) -> str:
    return " ".join(one.value for one in (*at.markdown, *at.caption, *at.info))


def test_trash__empty() -> None:
    assert "The trash is empty" in said(opened("9_storage.py"))


def test_trash__lists_and_restores(pets: Path) -> None:
    importer.import_path(pets, "pets")
    store = Store()
    run = store.create(TrainConfig(dataset="pets"), "my *pets*")
    trash.put_run(store, run.id)
    at = opened("9_storage.py")
    assert r"my \*pets\*" in said(at) and "goes in 7 days" in said(at)
    press(at, "Restore")
    assert store.get(run.id) == run and "The trash is empty" in said(at)


def test_trash__a_name_that_was_given_again_asks_for_another(pets: Path) -> None:
    importer.import_path(pets, "pets")
    trash.put_dataset(Store(), "pets")
    importer.import_path(pets, "pets")
    at = press(opened("9_storage.py"), "Restore")
    assert "another dataset called “pets”" in said(at)
    press(dialog("_ask_name(one)"), "Restore")
    assert library.all_names() == ["pets", "pets 2"]


def test_trash__is_emptied_once_that_was_confirmed(pets: Path, workspace: Path) -> None:
    importer.import_path(pets, "pets")
    trash.put_dataset(Store(), "pets")
    press(opened("9_storage.py"), "Empty the trash")
    assert [*workspace.glob("images/*/*")]
    press(dialog("_confirm([one])"), "Remove for good")
    assert not [*workspace.glob("images/*/*")] and not Store().trash.all()


def test_clean_up__lists_first_and_then_removes(pets: Path, workspace: Path) -> None:
    importer.import_path(pets, "pets")
    at = opened("9_storage.py")
    choice = next(one for one in at.selectbox if one.label == "What may go")
    choice.set_value("Unused datasets").run()
    assert "Nothing goes by this rule" in said(at)
    next(one for one in at.number_input).set_value(0)
    at.run()
    assert at.dataframe[0].value["What"].tolist() == ["dataset pets"]
    assert library.all_names() == ["pets"]
    press(at, "Remove 1 thing for good, which frees up to under 1 MB")
    assert not library.all_names() and not [*workspace.glob("images/*/*")]


def sizes(at: AppTest) -> dict[str, float]:
    """What the table says of each kind, in MB."""
    (table,) = [one.value for one in at.dataframe if "Share" in one.value]
    return dict(zip(table["What"].str.split(" ").str[0], table["Size"], strict=True))


def test_on_disk__tells_what_takes_how_much(pets: Path, workspace: Path) -> None:
    importer.import_path(pets, "pets")
    for name, megabytes in {"model.keras": 3, "exports/onnx-none/a": 2}.items():
        run = Store().create(TrainConfig(dataset="pets"))
        path = workspace / "runs" / run.id / name
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(megabytes * 1_000_000))
    at = opened("9_storage.py")
    assert not at.dataframe
    (look,) = [one for one in at.toggle if one.label == "Look at the disk"]
    look.set_value(True).run()
    trash.put_run(Store(), run.id)
    assert sizes(at.run())["What"] == 2 and sizes(at)["Exports"] == 0
    trash.restore(Store(), Store().trash.all()[0].id)
    found = sizes(at.run())
    assert (found["Runs"], found["Exports"], found["Uploads"]) == (3, 2, 0)
    images = sum(one.stat().st_size for one in workspace.glob("images/*/*"))
    assert found["Datasets,"] == pytest.approx(images / 1e6)


def test_on_disk__counts_only_what_is_of_whoever_looks(
    pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    importer.import_path(pets, "pets")
    store = Store()
    found = [
        store.people.add(subject=name, name=name, role=Role.PARTICIPANT)
        for name in ("Anna", "Bob")
    ]
    anna, bob = (one for one in found if one)
    store.datasets.own("pets", anna.id)
    seen = []
    for person in (anna, bob):
        cookie = sessions.cookie_for(sessions.begin(store, person))
        monkeypatch.setattr(session, "cookie", lambda it=cookie: it)
        at = opened("9_storage.py")
        assert "of 5.0 GB in all" in said(at)
        seen.append(sizes(at)["Datasets,"])
    assert seen[0] > 0 and seen[1] == 0
