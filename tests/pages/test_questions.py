"""However many things and people there are, a page asks the store no more often."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared import session
from tests.pages.opened import opened
from tests.pages.test_evaluate import evaluation_of
from tests.pages.workshop_made import join, looked_at
from tests.patience import PATIENCE
from tests.pictures import make_pictures
from tests.statements import statements
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.people import rule, tokens
from transfer.prediction.client import InferenceProcess
from transfer.runs import requests
from transfer.store import files
from transfer.store.people import Role
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.upkeep import trash

#: On these a class of thirty shows; the others are about one thing.
PAGES = (
    "1_data.py",
    "2_model.py",
    "3_runs.py",
    "4_evaluate.py",
    "5_predict.py",
    "6_export.py",
    "8_workshop.py",
    "9_programs.py",
    "9_projector.py",
    "9_storage.py",
)


@pytest.fixture
def store(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of a workshop whose administrator looks."""
    monkeypatch.setattr(InferenceProcess, "warm", lambda *_: None)
    with looked_at(Role.ADMINISTRATOR, monkeypatch) as opened_store:
        yield opened_store


def bring(store: Store, pictures: Path, name: str) -> None:
    """Somebody more, with a dataset, a finished run, and others that work and wait."""
    person = join(store, name)
    view = store.view_for(rule.scope(person))
    revision = importer.import_path(pictures, view.datasets.new("pets"), val=0.5)
    store.datasets.own(revision.dataset, person.id)
    config = TrainConfig(dataset=revision.dataset, revision=revision.id)
    for end in (JobStatus.COMPLETED, JobStatus.RUNNING):
        run = view.create(config)
        store.claim_next("here", {("run",): 99})
        store.begin(run.id)
        if end is JobStatus.COMPLETED:
            result = {"val_accuracy": 0.9, "class_names": ["cat", "dog"]}
            files.of_run(run.id).mkdir(parents=True)
            evaluation_of(store.finish(run.id, end, result))
    trash.put_run(store, view.create(config).id)
    view.create(config)
    asked = requests.import_("sample:digits", view.datasets.new("digits"))
    view.add("import", asked.subject, {"words": list(asked.words)})
    tokens.make(store, person, "mine", 30)
    store.classroom.see(person.id, "Data")


def show_line() -> None:
    from pages.runs import line  # noqa: PLC0415  AppTest runs the text of it

    line._show_line()


LOOKS: dict[str, Callable[[], AppTest]] = {
    **{page: lambda page=page: opened(page) for page in PAGES},
    "queue": lambda: AppTest.from_function(show_line, default_timeout=PATIENCE).run(),
}


def count(store: Store) -> dict[str, int]:
    """How often each page asks."""
    found = {}
    for name, look in LOOKS.items():
        # What stands for some moments is made anew.
        st.cache_resource.clear()
        with statements(session.whole_store()) as asked:
            at = look()
        assert not at.exception, name
        found[name] = len(asked)
    return found


def test_pages__ask_no_more_often_for_a_class_than_for_two(
    store: Store, tmp_path: Path
) -> None:
    pictures = make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    for name in ("Anna", "Bob"):
        bring(store, pictures, name)
    few = count(store)
    for name in ("Cleo", "Dora", "Emil", "Finn"):
        bring(store, pictures, name)
    many = count(store)
    assert {page: n for page, n in many.items() if n > few[page]} == {}
