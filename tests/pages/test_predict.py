"""The page Predict, empty and filled."""

import io
from pathlib import Path

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from transfer.config import TrainConfig
from transfer.inference import InferenceProcess, Ranking
from transfer.runs import evaluations
from transfer.runs.record import Run
from transfer.runs.status import RunStatus
from transfer.runs.store import Store

ROUTER = Path(__file__).parents[2] / "pages" / "shared" / "router.py"


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

    monkeypatch.setattr(InferenceProcess, "start", lambda self: None)
    monkeypatch.setattr(InferenceProcess, "predict", predict)
    return pictures


def finished_run(name: str = "", accuracy: float = 0.9) -> Run:
    """A completed run with a result, as the worker leaves it."""
    store = Store()
    run = store.create(TrainConfig(dataset="flowers"), name)
    store.claim_next(9, "here")
    store.begin(run.id)
    result = {"val_accuracy": accuracy, "class_names": ["Gänse*blümchen <b>", "rose"]}
    return store.finish(run.id, RunStatus.COMPLETED, result)


def open_page(run: str = "") -> AppTest:
    """The page Predict after its first run."""
    at = AppTest.from_file(str(ROUTER), default_timeout=20)
    at.run()
    if run:
        at.query_params["run"] = run
    return at.switch_page("../5_predict.py").run()


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


def test_predict__newest_run_is_chosen(asked: list[bytes]) -> None:
    finished_run("first")
    newest = finished_run("second", accuracy=0.75)
    at = open_page()
    assert not at.exception
    assert at.selectbox[0].value == newest.id
    assert "second · val accuracy 75.0%" in at.selectbox[0].options[0]


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


@pytest.mark.parametrize(
    ("threshold", "knows"), [(0.0, True), (0.9, True), (0.95, False)]
)
def test_predict__below_the_kept_threshold_it_does_not_know(
    asked: list[bytes], threshold: float, knows: bool
) -> None:
    evaluations.keep_threshold(finished_run().id, threshold)
    at = open_page()
    at.file_uploader[0].set_value([("a.jpg", jpeg(), "image/jpeg")]).run()
    said = " ".join(one.value for one in at.markdown)
    assert ("I don't know" in said) != knows
    assert "90.0%" in texts(at)


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
