"""The page Storage: what was deleted comes back, or goes at once."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.opened import opened
from tests.patience import PATIENCE
from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.datasets.ingest import importer
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
