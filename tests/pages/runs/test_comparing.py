"""Runs side by side on the page Runs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.jobs_made import measure
from tests.pages.opened import opened
from transfer import workspace
from transfer.config import TrainConfig
from transfer.evaluation import metrics, results
from transfer.evaluation.results import Evaluation
from transfer.store.record import Metric, Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus


@pytest.fixture(autouse=True)
def fresh(workspace: Path) -> None:
    """A store of this test's own workspace."""
    st.cache_resource.clear()


def finished(name: str, result: dict[str, Any] | None = None, **settings: Any) -> Run:
    """A run that has ended after two epochs."""
    store = Store()
    store.create(TrainConfig(dataset="flowers", **settings), name)
    run = store.claim_next("here", {("run",): 9})
    assert run
    for epoch in (1, 2):
        measure(
            store,
            run.id,
            [
                Metric(phase="head", epoch=epoch, name=key, value=epoch / 4)
                for key in ("val_accuracy", "val_loss")
            ],
        )
    return store.finish(run.id, JobStatus.COMPLETED, result)


def made_up(run: Run, images: int) -> Evaluation:
    """An evaluation of so many images."""
    labels = np.zeros(images, np.int64)
    probabilities = np.full((images, 2), 0.5, np.float32)
    workspace.folder("runs", run.id)
    return Evaluation(
        run=run.id,
        split="val",
        class_names=("a", "b"),
        sha256=np.array(["0" * 64] * images),
        paths=np.array(["a.jpg"] * images),
        labels=labels,
        probabilities=probabilities,
        temperature=1.0,
        figures=metrics.figures(probabilities, labels),
    )


def open_page(*ids: str) -> AppTest:
    return opened("3_runs.py", compare=",".join(ids))


def test_comparing__curves_and_settings_that_differ() -> None:
    changed = {"freeze": "last:2", "head": "dense1024", "batch_size": 8}
    runs = [finished("same"), finished("same", **changed)]
    at = open_page(*(run.id for run in runs))
    assert not at.exception
    assert len(at.get("vega_lite_chart")) == 2
    table = at.dataframe[1].value
    assert list(table.index) == ["What trains", "Head", "Batch size"]
    said = ["last 2 blocks", "Dense layer of 1024", "8"]
    assert list(table.iloc[:, 1]) == said
    assert list(table.columns) == [f"same ({run.id[:4]})" for run in runs]
    assert any("no answers on the same val" in one.value for one in at.caption)


def test_comparing__begins_with_a_table_of_what_came_of_each() -> None:
    came = {"val_accuracy": 0.9, "seconds": {"total": 75.0}}
    came |= {"trainable_parameters": 6405, "frozen_parameters": 1000}
    runs = [finished("", came), finished("", freeze="last:2")]
    results.save(made_up(runs[0], images=100))
    table = open_page(*(run.id for run in runs)).dataframe[0].value
    assert list(table["Run"]) == [
        "EfficientNet-Lite0 · head only",
        "EfficientNet-Lite0 · last 2 blocks",
    ]
    assert list(table["Val accuracy"])[0] == 90
    first = table.iloc[0]
    assert first["95 % interval"] == "82.6% – 94.5%"
    assert first["Time"] == "1 min 15 s"
    assert first["Parameters that trained"] == 6405
    assert first["Parameters in all"] == 7405


def test_comparing__weighted_runs_are_compared_by_balanced_accuracy() -> None:
    came = {"val_accuracy": 0.95, "val_balanced_accuracy": 0.66, "best_epoch": 0}
    largest = {"class": "ok", "accuracy": 0.927, "balanced_accuracy": 0.5}
    came |= {"val_largest_class": largest, "best_phase": "head"}
    runs = [finished(name, came, class_weights="balanced") for name in "ab"]
    for run in runs:
        name = "val_balanced_accuracy"
        values = [Metric(phase="head", epoch=n, name=name, value=0.5) for n in (1, 2)]
        measure(Store(), run.id, values)
        results.save(made_up(run, images=10))
    at = open_page(*(run.id for run in runs))
    table = at.dataframe[0].value
    assert list(table["Balanced"]) == [66, 66]
    assert list(table["Largest class alone"]) == [92.7, 92.7]
    assert "a: The head phase gained nothing" in at.caption[0].value.replace("\\", "")
    chart = at.get("vega_lite_chart")[0].proto.spec
    assert "Val balanced accuracy" in chart
    assert any("weights aim, “b” is +0.0" in one.value for one in at.caption)


def test_comparing__equal_settings_and_a_deleted_run() -> None:
    runs = [finished("one"), finished("two")]
    at = open_page(*(run.id for run in runs), "ffffffff")
    assert not at.exception
    assert "ffffffff" in at.warning[0].value
    assert any("all settings are the same" in one.value for one in at.caption)


def test_comparing__one_run_is_not_enough() -> None:
    at = open_page(finished("one").id)
    assert not at.exception
    assert "Tick two or more" in at.info[0].value
