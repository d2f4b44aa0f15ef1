"""The page Predict, empty and filled."""

import io
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests import jobs_made
from tests.pages.opened import opened
from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.datasets import away, library, renderings
from transfer.datasets.ingest import importer
from transfer.errors import ImageError, NotFoundError
from transfer.pile import asked as pile_asked
from transfer.prediction.client import InferenceProcess, Ranking
from transfer.runs import requests
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus


@pytest.fixture(autouse=True)
def fresh(workspace: Path) -> None:
    """A store and an inference process of this test's own workspace."""
    st.cache_resource.clear()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The pictures that the model was asked about; Keras itself stays away."""
    pictures: list[bytes] = []

    def predict(
        self: InferenceProcess, run: str, sent: list[bytes | Path]
    ) -> list[Ranking]:
        pictures.extend(one for one in sent if isinstance(one, bytes))
        return [[("Gänse*blümchen <b>", 0.9), ("rose", 0.1)] for _ in sent]

    def predict_each(
        self: InferenceProcess, run: str, sent: list[bytes | Path], top: int
    ) -> list[Ranking | ImageError]:
        pictures.extend(one for one in sent if isinstance(one, bytes))
        return [
            ImageError("It is broken.") if one == b"broken" else by_size(one)
            for one in sent
        ]

    def by_size(content: bytes | Path) -> Ranking:
        value = len(content) % 40 / 100 if isinstance(content, bytes) else 0.1
        return [("Gänse*blümchen <b>", 1 - value), ("rose", value)]

    monkeypatch.setattr(InferenceProcess, "start", lambda self: None)
    monkeypatch.setattr(InferenceProcess, "warm", lambda self, run: None)
    monkeypatch.setattr(InferenceProcess, "predict", predict)
    monkeypatch.setattr(InferenceProcess, "predict_each", predict_each)
    monkeypatch.setattr(InferenceProcess, "explain", explain)
    # As that of the process of its own, made here.
    monkeypatch.setattr(away, "encode_thumbnail", renderings.encode_thumbnail)
    monkeypatch.setattr(InferenceProcess, "nearest", nearest)
    monkeypatch.setattr(
        InferenceProcess, "knows_training_images", lambda self, run: True
    )
    return pictures


def explain(
    self: InferenceProcess, run: str, picture: bytes | Path, class_name: str
) -> bytes:
    """A heat map of one colour for each class."""
    return jpeg("orange" if class_name == "rose" else "purple")


def nearest(
    self: InferenceProcess, run: str, picture: bytes | Path
) -> list[dict[str, Any]]:
    """One neighbour."""
    one = {"sha256": "a" * 64, "class_name": "<i>rose", "path": "r/1.jpg"}
    return [{**one, "similarity": 0.87}]


def finished_run(name: str = "", accuracy: float = 0.9) -> Run:
    """A completed run with a result, as the worker leaves it."""
    store = Store()
    run = store.create(TrainConfig(dataset="flowers"), name)
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    result = {"val_accuracy": accuracy, "class_names": ["Gänse*blümchen <b>", "rose"]}
    return store.finish(run.id, JobStatus.COMPLETED, result)


def open_page(run: str = "") -> AppTest:
    """The page Predict after its first run."""
    return opened("5_predict.py", run=run)


def jpeg(color: str = "red") -> bytes:
    """A small picture of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(buffer, "JPEG")
    return buffer.getvalue()


def texts(at: AppTest) -> str:
    """The HTML that the page shows."""
    return " ".join(str(one.proto.body) for one in at.get("html"))


def test_predict__no_model_says_what_to_do() -> None:
    at = open_page()
    assert not at.exception
    assert "No model yet" in at.info[0].value


def test_predict__before_any_run_the_source_model_is_asked(asked: list[bytes]) -> None:
    at = open_page()
    at.file_uploader(key="photographs").set_value([("a.jpg", jpeg(), "image/jpeg")])
    at.run()
    assert not at.exception
    assert asked == [jpeg()] and "Gänse*blümchen" in texts(at)


def test_predict__newest_run_is_chosen(asked: list[bytes]) -> None:
    finished_run("first")
    newest = finished_run("second", accuracy=0.75)
    at = open_page()
    assert not at.exception
    assert at.selectbox[0].value == newest.id
    assert "second · val 75.0%" in at.selectbox[0].options[0]


def test_predict__begins_with_the_run_that_another_page_showed(
    asked: list[bytes],
) -> None:
    older = finished_run("older")
    finished_run("newest")
    at = opened("3_runs.py", run=older.id)
    at.query_params.clear()  # as a click in the navigation does
    at.switch_page("../5_predict.py").run()
    assert at.selectbox[0].value == older.id
    assert at.query_params["run"] == older.id


def test_predict__run_of_the_address_is_chosen(asked: list[bytes]) -> None:
    first = finished_run("first")
    finished_run("second")
    assert open_page(first.id).selectbox[0].value == first.id


def test_predict__unknown_run_is_named(asked: list[bytes]) -> None:
    finished_run()
    assert "no run nonsense with a model" in open_page("nonsense").warning[0].value


def test_predict__classes_are_ranked_beside_the_picture(asked: list[bytes]) -> None:
    finished_run()
    at = open_page()
    at.file_uploader[0].set_value([("a.jpg", jpeg(), "image/jpeg")]).run()
    assert not at.exception
    shown = texts(at)
    assert "Gänse*blümchen &lt;b&gt;" in shown and "90.0%" in shown
    assert shown.index("90.0%") < shown.index("10.0%")


def test_predict__same_picture_is_asked_once(asked: list[bytes]) -> None:
    finished_run()
    at = open_page()
    files = [("a.jpg", jpeg(), "image/jpeg"), ("again.jpg", jpeg(), "image/jpeg")]
    at.file_uploader[0].set_value(files).run()
    at.run()
    assert len(asked) == 1


def test_predict__broken_picture_leaves_the_others(asked: list[bytes]) -> None:
    finished_run()
    at = open_page()
    files = [("no.jpg", b"text", "image/jpeg"), ("yes.jpg", jpeg(), "image/jpeg")]
    at.file_uploader[0].set_value(files).run()
    assert "no\\.jpg" in at.error[0].value
    assert "90.0%" in texts(at)


def test_predict__answers_of_the_past_are_bounded(asked: list[bytes]) -> None:
    finished_run()
    at = open_page()
    at.session_state["answers"] = {f"old-{i}": None for i in range(100)}
    at.file_uploader[0].set_value([("a.jpg", jpeg(), "image/jpeg")]).run()
    assert not at.exception
    assert len(at.session_state["answers"]) == 51
    assert "90.0%" in texts(at)


def with_pictures(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    """The page after these files were brought."""
    sent = [(name, content, "image/jpeg") for name, content in files]
    at.file_uploader[0].set_value(sent).run()
    assert not at.exception
    return at


def messages(at: AppTest) -> str:
    """Captions, badges and other Markdown of the page."""
    return " ".join(one.value for one in [*at.caption, *at.markdown])


def test_predict__heat_map_and_nearest_images_beside_the_picture(
    asked: list[bytes],
) -> None:
    finished_run()
    at = with_pictures(open_page(), ("a.jpg", jpeg()))
    assert len(at.get("image")) == 2  # the picture, and its heat map
    assert "&lt;i&gt;rose" in texts(at) and "87%" in texts(at)
    at.toggle(key="with-heat").set_value(False)
    at.toggle(key="with-nearest").set_value(False).run()
    assert len(at.get("image")) == 1
    assert "87%" not in texts(at)


def test_predict__a_run_that_does_not_know_its_training_images_looks_at_them(
    asked: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    known: set[str] = set()
    monkeypatch.setattr(
        InferenceProcess, "knows_training_images", lambda self, run: run in known
    )
    run = finished_run()
    at = with_pictures(open_page(), ("a.jpg", jpeg()), ("b.jpg", jpeg("red")))
    request = requests.neighbours(run.id)
    assert jobs_made.asked_for(*request[:2]) == ["neighbours", run.id]
    assert "number 1 in the queue" in messages(at) and "87%" not in texts(at)
    jobs_made.working(request, doing="look", done=5, of=20)
    bar = at.run().get("progress")[0].proto
    assert "looked at: 5 of 20" in bar.text and bar.value == 25
    known.add(run.id)
    jobs_made.ended(request)
    at.run()
    assert not at.exception and not at.get("progress") and "87%" in texts(at)


def test_predict__a_look_that_was_cancelled_does_not_begin_by_itself(
    asked: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        InferenceProcess, "knows_training_images", lambda self, run: False
    )
    request = requests.neighbours(finished_run().id)
    job = jobs_made.ended(request, JobStatus.STOPPED)
    at = with_pictures(open_page(), ("a.jpg", jpeg()))
    assert "Cancelled, so the nearest ones are not shown" in messages(at)
    store = Store()
    found = store.find(request.kind, request.subject)
    assert found is not None and found.id == job.id and not store.waiting()


def test_predict__what_cannot_be_explained_is_said_beside_the_answer(
    asked: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise NotFoundError("The dataset was deleted.")

    monkeypatch.setattr(InferenceProcess, "nearest", gone)
    finished_run()
    at = with_pictures(open_page(), ("a.jpg", jpeg()))
    assert "The dataset was deleted" in messages(at)
    assert "90.0%" in texts(at)


def test_predict__below_the_threshold_it_does_not_know(asked: list[bytes]) -> None:
    run = finished_run()
    at = with_pictures(open_page(), ("a.jpg", jpeg()))
    assert "I don't know" not in messages(at)
    at.slider(key=f"unsure-below-{run.id}").set_value(0.95).run()
    assert "I don't know" in messages(at)
    assert "90.0%" in texts(at)


def test_predict__a_stored_threshold_is_where_the_slider_starts(
    asked: list[bytes], workspace: Path
) -> None:
    run = finished_run()
    path = workspace / "runs" / run.id / "threshold.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"threshold": 0.92}')
    at = with_pictures(open_page(), ("a.jpg", jpeg()))
    assert at.slider(key=f"unsure-below-{run.id}").value == 0.92
    assert "I don't know" in messages(at)


def test_predict__answers_come_before_the_settings(asked: list[bytes]) -> None:
    finished_run()
    at = with_pictures(open_page(), ("a.jpg", jpeg()))
    settings = at.get("popover")[0]
    assert [one.label for one in settings.toggle] == [one.label for one in at.toggle]
    assert [one.label for one in settings.slider] == [one.label for one in at.slider]


def test_predict__two_runs_beside_each_other(asked: list[bytes]) -> None:
    other = finished_run("the other")
    finished_run("the newest")
    at = with_pictures(open_page(), ("a.jpg", jpeg()))
    assert "**the other**" not in messages(at)
    at.selectbox(key="other-run").set_value(other.id).run()
    assert not at.exception
    assert "**the other**" in messages(at) and "**the newest**" in messages(at)
    assert len(asked) == 2
    assert len(at.get("image")) == 3


def test_predict__a_correction_becomes_a_training_image(
    asked: list[bytes], tmp_path: Path
) -> None:
    make_pictures(tmp_path / "flowers", {"Gänse*blümchen <b>": 3, "rose": 3})
    before = importer.import_path(tmp_path / "flowers", "flowers")
    run = finished_run()
    at = with_pictures(open_page(), ("a.jpg", jpeg()))
    (right,) = [one for one in at.selectbox if one.label == "The right class"]
    assert right.value == "Gänse*blümchen <b>"  # its answer, to be confirmed
    right.set_value("rose").run()
    (add,) = [one for one in at.button if one.label == "Add it"]
    add.click().run()
    assert not at.exception
    after = library.load("flowers")
    assert len(after.images) == len(before.images) + 1
    assert f"revision is {after.id}" in at.success[0].value
    assert run.dataset == "flowers"
    # It stands where the button was: nobody can press that again.
    assert not [one for one in at.button if one.label == "Add it"]


def test_predict__what_keeps_a_correction_out_is_said_beside_the_button(
    asked: list[bytes],
) -> None:
    finished_run()  # its dataset was deleted
    at = with_pictures(open_page(), ("a.jpg", jpeg()))
    (right,) = [one for one in at.selectbox if one.label == "The right class"]
    right.set_value("rose").run()
    (add,) = [one for one in at.button if one.label == "Add it"]
    add.click().run()
    teach = at.get("popover")[-1]
    assert "no dataset" in teach.error[0].value


def many(count: int = 20) -> list[tuple[str, bytes]]:
    """So many pictures that they stand in a table; the fourth is broken."""
    files = [(f"{i:02}.jpg", jpeg(f"#{i * 9:02x}4060")) for i in range(count)]
    return [*files[:3], ("broken.jpg", b"broken"), *files[4:]]


def test_predict__many_pictures_stand_in_a_table(asked: list[bytes]) -> None:
    finished_run()
    at = with_pictures(open_page(), *many())
    (table,) = at.dataframe
    assert len(table.value) == 20 and len(asked) == 20
    assert list(table.value["file"])[:4] == ["00.jpg", "01.jpg", "02.jpg", "broken.jpg"]
    assert table.value["answer"][3] == "Cannot be read"
    assert table.value["next"][3] == "It is broken."
    assert table.value["picture"][0].startswith("data:image/jpeg;base64,")
    at.run()
    assert len(asked) == 20  # not asked again
    assert "19 pictures answered in" in messages(at)
    assert "1 cannot be read" in messages(at)


def test_predict__the_table_is_filtered_by_class_and_confidence(
    asked: list[bytes],
) -> None:
    run = finished_run()
    at = with_pictures(open_page(), *many())
    at.multiselect(key="batch-answers").set_value(["Cannot be read"]).run()
    assert list(at.dataframe[0].value["file"]) == ["broken.jpg"]
    at.multiselect(key="batch-answers").set_value([])
    at.slider(key="batch-confidence").set_range(0.5, 1.0).run()
    assert len(at.dataframe[0].value) == 19
    at.slider(key=f"unsure-below-{run.id}").set_value(1.0).run()
    unsure = set(at.dataframe[0].value["answer"])
    assert any(one.startswith("I don't know (") for one in unsure)
    at.selectbox(key="batch-order").set_value("Least certain first").run()
    confidence = list(at.dataframe[0].value["confidence"])
    assert confidence == sorted(confidence)


def test_predict__a_chosen_row_opens_the_card(asked: list[bytes]) -> None:
    finished_run()
    at = with_pictures(open_page(), *many())
    assert not at.get("image")
    selection = {"rows": [1], "columns": [], "cells": []}
    at.session_state["batch-table"] = {"selection": selection}
    at.run()
    assert not at.exception
    assert len(at.get("image")) == 2
    assert "01\\.jpg" in messages(at)


def test_predict__a_card_is_opened_by_keyboard(asked: list[bytes]) -> None:
    finished_run()
    at = with_pictures(open_page(), *many())
    look = next(one for one in at.selectbox if one.label == "Look closer at")
    look.set_value(2).run()
    assert not at.exception
    assert "02\\.jpg" in messages(at)


def test_predict__a_correction_to_a_class_that_is_gone_stays_to_be_seen(
    asked: list[bytes],
) -> None:
    run = finished_run()
    at = with_pictures(open_page(), *many())
    corrected = at.dataframe[0].value["file"][1]
    at.session_state[f"batch-corrected-{run.id}"] = {corrected: "renamed since"}
    at.toggle(key="batch-correct").set_value(True).run()
    assert not at.exception
    table = at.dataframe[0].value.set_index("file")
    assert table["class"][corrected] == "renamed since"


def test_predict__csv_and_json_of_the_table(asked: list[bytes]) -> None:
    finished_run()
    at = with_pictures(open_page(), *many())
    labels = [one.label for one in at.get("download_button")]
    assert labels == ["CSV", "JSON"]


def test_predict__many_pictures_go_to_the_pile_with_their_answers(
    asked: list[bytes], tmp_path: Path
) -> None:
    make_pictures(tmp_path / "flowers", {"Gänse*blümchen <b>": 3, "rose": 3})
    importer.import_path(tmp_path / "flowers", "flowers")
    run = finished_run()
    at = with_pictures(open_page(), *many())
    name = "Gänse*blümchen <b>"
    at.multiselect(key="batch-answers").set_value([name]).run()
    (sort,) = [one for one in at.button if one.label == "Sort them"]
    sort.click().run()
    assert not at.exception and at.title[0].value == "Data"
    _, _, source, answers, upload = jobs_made.asked_for("sort", run.dataset)
    said = pile_asked.read(Path(answers.partition("=")[2]), Path(source))
    assert len(said) == 19 and {one.class_name for one in said.values()} == {name}
    assert {path.name for path in Path(source).iterdir()} == {*said}
    assert upload == f"--upload={Path(source).parent.name}"


def test_predict__answers_are_corrected_before_they_teach(asked: list[bytes]) -> None:
    run = finished_run()
    at = with_pictures(open_page(), *many())
    at.toggle(key="batch-correct").set_value(True).run()
    assert not at.exception
    table = at.dataframe[0].value
    (key,) = [one for one in at.session_state if str(one).startswith("batch-classes")]
    names = "Gänse*blümchen <b>", "rose"
    right = next(name for name in names if name != table["class"][1])
    changed = {"edited_rows": {1: {"class": right}}}
    at.session_state[key] = {**changed, "added_rows": [], "deleted_rows": []}
    at.run()
    assert not at.exception
    corrected = at.session_state[f"batch-corrected-{run.id}"]
    assert corrected == {table["file"][1]: right}
    # What the table began with stays, or a change back to it would not be sent.
    assert at.dataframe[0].value["class"].tolist() == table["class"].tolist()
    changed = {"edited_rows": {1: {"class": table["class"][1]}}}
    at.session_state[key] = {**changed, "added_rows": [], "deleted_rows": []}
    at.run()
    assert not at.session_state[f"batch-corrected-{run.id}"]
