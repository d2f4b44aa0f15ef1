"""The page Evaluate: empty, before an evaluation, and every view of a stored one."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.evaluate import confusions, image_map, plots
from pages.shared import steady_chart
from tests import jobs_made
from tests.pages.opened import opened
from tests.pictures import delete_dataset, make_pictures
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Split
from transfer.evaluation import metrics, results
from transfer.evaluation.intervals import Interval
from transfer.evaluation.results import Evaluation, Robustness
from transfer.evaluation.robustness import KINDS
from transfer.prediction.client import InferenceProcess
from transfer.runs import kinds, queue, requests
from transfer.store import files
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus

LONG = "Gänse*blümchen <b> & some more words that make a very long class name"
VIEWS = (
    *("Summary", "Confusions", "Mistakes", "Curves", "Confidence"),
    *("Robustness", "Map"),
)


@pytest.fixture(autouse=True)
def fresh(workspace: Path) -> None:
    """A store and an inference process of this test's own workspace."""
    st.cache_resource.clear()


@pytest.fixture
def finished(tmp_path: Path) -> Run:
    """A run that ended with a model, of a dataset with val images."""
    folder = make_pictures(tmp_path / "pets", {"cat": 10, "dog": 10})
    revision = importer.import_path(folder, "pets", val=0.5)
    return run_of(["cat", "dog"], revision.id)


def run_of(names: list[str], revision: str = "") -> Run:
    store = Store()
    config = TrainConfig(dataset="pets", revision=revision)
    run = store.create(config, "my *run*")
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    files.evaluation(run.id, "val").parent.mkdir(parents=True)
    result = {"val_accuracy": 0.9, "class_names": names, "temperature": 1.5}
    return store.finish(run.id, JobStatus.COMPLETED, result)


def evaluation_of(
    run: Run, images: int = 60, split: Split = "val", skill: float = 1.5, **more: Any
) -> Evaluation:
    """A stored evaluation of a mediocre model, with all details."""
    names = run.result["class_names"]
    random = np.random.default_rng(0)
    labels = np.arange(images) % len(names)
    logits = random.normal(0, 1, (images, len(names)))
    logits[np.arange(images), labels] += skill
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    accuracy = {
        name: [(strength, Interval(0.5, 0.4, 0.6)) for strength in kind.strengths]
        for name, kind in KINDS.items()
    }
    found = Evaluation(
        run=run.id,
        split=split,
        class_names=tuple(names),
        sha256=np.array([f"{i:064x}" for i in range(images)]),
        paths=np.array([f"{names[k]}/<i>{i}.jpg" for i, k in enumerate(labels)]),
        labels=labels,
        probabilities=probabilities.astype(np.float32),
        temperature=1.5,
        figures=metrics.figures(probabilities, labels),
        robustness=Robustness(
            images=images, unspoilt=Interval(0.8, 0.7, 0.9), accuracy=accuracy
        ),
        map_places=random.normal(size=(images, 2)).astype(np.float32),
    )
    found = Evaluation(**{**vars_of(found), **more})
    results.save(found)
    results.save(replace(found, split="all"))
    return found


def vars_of(found: Evaluation) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Evaluation.__dataclass_fields__}


def open_page(run: str = "", **query: str) -> AppTest:
    """The page Evaluate after its first run."""
    return opened("4_evaluate.py", run=run, **query)


def pictures(at: AppTest) -> int:
    """Number of pictures on the page."""
    return sum(str(one.proto.body).count("<img ") for one in at.get("html"))


def button(at: AppTest, label: str) -> Any:
    return next(one for one in at.button if one.label == label)


def test_evaluate__the_evidence_is_asked_for_once_and_shown_as_it_is(
    finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def explain(_: Any, run: str, path: Path, class_name: str) -> bytes:
        asked.append(class_name)
        buffer = io.BytesIO()
        Image.effect_noise((32, 32), 90).convert("RGB").save(buffer, "PNG")
        return buffer.getvalue()

    monkeypatch.setattr(InferenceProcess, "explain", explain)
    evaluation_of(finished)
    at = open_page(finished.id, view="Mistakes")
    chooser = next(one for one in at.selectbox if "evidence" in one.label)
    chooser.select_index(0).run()
    at.run()
    assert not at.exception
    assert sorted(asked) == ["cat", "dog"]  # its class, and what it was taken for
    shown = [one.proto.imgs[0].url for one in at.get("image")]
    assert len(shown) == 2 and all(one.endswith(".png") for one in shown)


def test_evaluate__no_model_says_what_to_do() -> None:
    at = open_page()
    assert not at.exception
    assert "No model yet" in at.info[0].value


def test_evaluate__not_yet_evaluated_offers_it(finished: Run) -> None:
    at = open_page(finished.id)
    assert not at.exception
    assert "not been evaluated on val" in at.info[0].value
    button(at, "Evaluate on val").click().run()
    assert not at.exception
    words = ["evaluate", finished.id, "--split", "val"]
    assert jobs_made.asked_for("evaluate", f"{finished.id}-val") == words


def test_evaluate__how_far_it_is_and_what_went_wrong(finished: Run) -> None:
    request = requests.evaluate(finished.id, "val")
    jobs_made.working(request, doing="spoilt", done=50, of=100)
    at = open_page(finished.id)
    bar = at.get("progress")[0].proto
    assert "spoilt images: 50 of 100" in bar.text and bar.value == 50
    assert [one.label for one in at.button] == ["Cancel"]
    error = {"kind": "RunError", "message": "No memory.", "hint": ""}
    jobs_made.ended(request, JobStatus.FAILED, error=error)
    assert "No memory" in open_page(finished.id).error[0].value


def test_evaluate__only_splits_with_images_are_offered(finished: Run) -> None:
    assert open_page(finished.id).segmented_control[0].options == ["val", "train"]
    chosen = open_page(finished.id, split="train")
    assert chosen.segmented_control[0].value == "train"
    assert "on train" in chosen.info[0].value


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("classes", [2, 12, 100])
def test_evaluate__every_view_of_any_number_of_classes(view: str, classes: int) -> None:
    run = run_of([LONG, *(f"class {i}" for i in range(1, classes))])
    evaluation_of(run, images=3 * classes)
    at = open_page(run.id, view=view)
    assert not at.exception
    assert not at.error
    assert at.segmented_control[1].value == view


def test_evaluate__figures_have_intervals(finished: Run) -> None:
    found = evaluation_of(finished).figures
    at = open_page(finished.id)
    top_1 = at.metric[0]
    assert top_1.value == f"{found.top_1.value:.1%}"
    assert top_1.delta == f"{found.top_1.low:.1%} – {found.top_1.high:.1%}"
    assert [one.label for one in at.metric] == [
        *("Top-1 accuracy", "Balanced accuracy", "Macro F1")
    ]
    table = at.dataframe[0].value
    assert list(table["Class"]) == ["cat", "dog"]
    assert table["Recall"][0] == pytest.approx(100 * found.classes[0].recall.value)


def test_evaluate__a_cell_shows_its_images(finished: Run) -> None:
    found = evaluation_of(finished)
    at = open_page(finished.id, view="Confusions")
    cells = confusions.filled_cells(found)
    assert pictures(at) == found.confusion[cells[0]]
    cell = at.selectbox[1]
    assert cell.options[0].startswith(("cat → dog", "dog → cat"))
    cell.set_value(cells[-1]).run()
    assert pictures(at) == found.confusion[cells[-1]]


def test_filled_cells__mistakes_first(finished: Run) -> None:
    found = evaluation_of(finished, images=90)
    cells = confusions.filled_cells(found)
    wrong = [i != j for i, j in cells]
    assert wrong == sorted(wrong, reverse=True)
    counts = [
        found.confusion[cell]
        for cell, is_wrong in zip(cells, wrong, strict=True)
        if is_wrong
    ]
    assert counts == sorted(counts, reverse=True)


def test_evaluate__a_chart_stays_while_it_changes(finished: Run) -> None:
    evaluation_of(finished)
    at = open_page(finished.id, view="Confusions")
    seen = set()
    for values in ("Counts", "Shares of the class"):
        at.segmented_control[-2].set_value(values).run()
        (chart,) = at.get("bidi_component")
        seen.add((chart.proto.id, chart.proto.json))
    (one, one_figure), (other, other_figure) = seen
    assert one == other and one_figure != other_figure


def test_evaluate__a_click_on_a_cell_chooses_it(
    finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    clicked: list[Callable[[int, int], None]] = []
    monkeypatch.setattr(
        steady_chart, "show", lambda figure, key, alt, told: clicked.append(told)
    )
    found = evaluation_of(finished)
    cells = confusions.filled_cells(found)
    at = open_page(finished.id, view="Confusions")
    monkeypatch.setattr(st, "session_state", {})
    clicked[0](1, 2)
    (key, cell), *_ = st.session_state.items()
    assert cell == cells[2] and at.selectbox[1].key == key


def test_confusion__markers_lie_on_their_cells() -> None:
    matrix = np.array([[5, 0, 2], [0, 7, 0], [1, 0, 4]])
    figure = plots.confusion(
        matrix, ["<a>", "b", "c"], [2, 0, 1], False, [(0, 2), (1, 1)], 1
    )
    heat, points = figure.data
    assert heat.z[points.y[0]][points.x[0]] == 2
    assert heat.z[points.y[1]][points.x[1]] == 7
    (frame,) = figure.layout.shapes  # around the chosen one
    middle = (frame.x0 + frame.x1) / 2, (frame.y0 + frame.y1) / 2
    assert middle == (points.x[1], points.y[1])
    assert points.hovertext[0] == "&lt;a&gt; → c<br>2 of 7 images, 28.6%"


def test_positions_of__finds_images_by_trace_and_number(finished: Run) -> None:
    found = evaluation_of(finished)
    groups = image_map.by_error(found, finished)
    wrong = groups["Wrong"][1]
    point = {"curve_number": 1, "point_index": 0}
    assert image_map.positions_of(groups, [point]) == [wrong[0]]
    assert found.predicted[wrong[0]] != found.labels[wrong[0]]
    assert image_map.positions_of(groups, [{"curve_number": 9, "point_index": 0}]) == []


def test_by_split__finds_the_split_of_every_image(
    workspace: Path, tmp_path: Path
) -> None:
    make_pictures(tmp_path / "birds", {"crow": 4, "wren": 4})
    revision = importer.import_path(tmp_path / "birds", "birds", val=0.5)
    run = run_of(["crow", "wren"], revision.id)
    run = replace(run, config=run.config.model_copy(update={"dataset": "birds"}))
    hashes = np.array([one.sha256 for one in revision.images])
    found = replace(evaluation_of(run, images=8), sha256=hashes)
    groups = image_map.by_split(found, run)
    assert [*groups] == ["train", "val"]
    val = [revision.images[position].split for position in groups["val"][1]]
    assert val == ["val"] * 4
    delete_dataset("birds")
    assert [*image_map.by_split(found, run)] == ["Unknown"]


def test_evaluate__mistakes_and_hits(finished: Run) -> None:
    found = evaluation_of(finished)
    at = open_page(finished.id, view="Mistakes")
    mistakes = int((found.labels != found.predicted).sum())
    assert pictures(at) == min(24, mistakes) + min(24, 60 - mistakes)
    assert "&lt;i&gt;" in str(at.get("html")[0].proto.body)


def test_evaluate__a_model_without_mistakes(finished: Run) -> None:
    evaluation_of(finished, skill=50.0)
    for view in VIEWS:
        at = open_page(finished.id, view=view)
        assert not at.exception, view
    at = open_page(finished.id, view="Mistakes")
    assert "No mistakes" in at.success[0].value
    # What is offered below is done with the hits that are seen, and no others.
    assert pictures(at) == 24
    assert not any("of 60" in one.value for one in at.caption)


def test_evaluate__threshold_is_kept_for_predict(finished: Run) -> None:
    evaluation_of(finished)
    at = open_page(finished.id, view="Confidence")
    assert "None is kept" in " ".join(one.value for one in at.caption)
    at.slider[0].set_value(0.7).run()
    button(at, "Keep this threshold").click().run()
    assert not at.exception
    assert results.threshold(finished.id) == 0.7
    assert "Kept: 70%" in " ".join(one.value for one in at.caption)


def test_evaluate__no_answer_reaches_the_threshold(finished: Run) -> None:
    evaluation_of(finished)
    at = open_page(finished.id, view="Confidence")
    at.slider[0].set_value(1.0).run()
    assert not at.exception
    assert "no answer is left" in " ".join(one.value for one in at.markdown)


@pytest.mark.parametrize("view", ["Robustness", "Map"])
def test_evaluate__details_that_are_not_there_yet(finished: Run, view: str) -> None:
    evaluation_of(finished, robustness=None)
    files.evaluation(finished.id, "all").unlink()
    at = open_page(finished.id, view=view)
    assert not at.exception
    assert "just ended" in at.info[0].value
    assert button(at, "Compute it now")


def test_evaluate__what_waits_for_idle_hours_can_be_had_at_once(finished: Run) -> None:
    evaluation_of(finished, robustness=None)
    store, request = Store(), requests.evaluate(finished.id, "val")
    queue.ask(store, request, kinds.GIVES_WAY)
    at = open_page(finished.id, view="Robustness")
    assert "Evaluation: number 1 in the queue" in at.caption[-1].value
    button(at, "Compute it now").click().run()
    (job,) = store.waiting()
    assert job.priority == 0
    assert "Compute it now" not in [one.label for one in at.button]


def test_evaluate__what_was_too_slow_can_be_tried_all_the_same(finished: Run) -> None:
    evaluation_of(finished, robustness=Robustness(skipped="It is too slow."))
    at = open_page(finished.id, view="Robustness")
    assert at.info[0].value == "It is too slow."
    button(at, "Try it all the same").click().run()
    words = ["evaluate", finished.id, "--split", "val", "--thorough"]
    assert jobs_made.asked_for("evaluate", f"{finished.id}-val") == words


def test_evaluate__nothing_is_measured_without_pictures(finished: Run) -> None:
    evaluation_of(finished, robustness=Robustness(skipped="It is too slow."))
    delete_dataset("pets")
    at = open_page(finished.id, view="Robustness")
    assert "while the pictures were there" in at.info[0].value
    assert not at.button


def test_evaluate__a_deleted_dataset_leaves_the_figures(finished: Run) -> None:
    evaluation_of(finished)
    delete_dataset("pets")
    at = open_page(finished.id)
    assert not at.exception
    assert "was deleted" in at.warning[0].value
    assert at.metric[0].label == "Top-1 accuracy"
