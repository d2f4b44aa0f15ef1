"""Runs side by side on the page Runs."""

from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared import comparing
from transfer.config import TrainConfig
from transfer.runs.comparing import Comparison
from transfer.runs.record import Metric, Run
from transfer.runs.status import RunStatus
from transfer.runs.store import Store

ROUTER = Path(__file__).parents[2] / "pages" / "shared" / "router.py"


@pytest.fixture(autouse=True)
def fresh(workspace: Path) -> None:
    """A store of this test's own workspace."""
    st.cache_resource.clear()


def finished(name: str, **settings: Any) -> Run:
    """A run that has ended after two epochs."""
    store = Store()
    store.create(TrainConfig(dataset="flowers", **settings), name)
    run = store.claim_next(9, "here")
    assert run
    for epoch in (1, 2):
        store.add_metrics(
            run.id,
            [
                Metric(phase="head", epoch=epoch, name=key, value=epoch / 4)
                for key in ("val_accuracy", "val_loss")
            ],
        )
    return store.finish(run.id, RunStatus.COMPLETED)


def open_page(*ids: str) -> AppTest:
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.run()
    at.query_params["compare"] = ",".join(ids)
    return at.switch_page("../3_runs.py").run()


def test_comparing__curves_and_settings_that_differ() -> None:
    runs = [finished("same"), finished("same", freeze="last:2", batch_size=8)]
    at = open_page(*(run.id for run in runs))
    assert not at.exception
    assert len(at.get("vega_lite_chart")) == 2
    table = at.dataframe[0].value
    assert list(table.index) == ["freeze", "batch_size"]
    assert list(table.columns) == [f"same ({run.id[:4]})" for run in runs]
    assert any("no answers on the same val" in one.value for one in at.caption)


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


@pytest.mark.parametrize(
    ("p_value", "difference", "said"),
    [
        (0.001, 0.1, "**B is better than A by 10.0 points**"),
        (0.001, -0.1, "**A is better than B by 10.0 points**"),
        (0.3, 0.1, "**B is not told apart from A**"),
    ],
)
def test_verdict__says_which_is_better(
    p_value: float, difference: float, said: str
) -> None:
    found = Comparison(
        images=100,
        only_first=2,
        only_second=12,
        difference=difference,
        low=0.03,
        high=0.17,
        p_value=p_value,
        classes={},
    )
    assert comparing.verdict("A", "B", found).startswith(said)
