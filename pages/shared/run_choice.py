"""Chooses one of the runs that have a model; the address names it."""

from pathlib import Path

import streamlit as st

from pages.shared import session
from pages.shared.shell import escaped
from transfer.datasets import library
from transfer.runs.record import Run

PAGES = Path(__file__).resolve().parents[1]
#: Letters of a run's name in the list, so that what follows it is seen.
LONGEST = 40


def show_none(says: str, icon: str) -> None:
    """Says that no run has a model yet, and leads to the next step towards one.

    Args:
        says: What this page does with a model.
        icon: Of the page.
    """
    st.info(f"No model yet. {says}", icon=icon)
    page, label = "1_data.py", "Bring data"
    if session.store().runs(limit=1):
        page, label = "3_runs.py", "See the runs"
    elif library.list_datasets():
        page, label = "2_model.py", "Choose a model and start a run"
    st.page_link(PAGES / page, label=label, icon=":material/arrow_forward:")


def choose(with_model: list[Run]) -> Run:
    """The run of the list; the one that the address names is chosen at first."""
    by_id = {run.id: run for run in with_model}
    named = st.query_params.get("run", "")
    if named and named not in by_id:
        st.warning(
            f"There is no run {escaped(named)} with a model, so another one is chosen."
        )
    ids = list(by_id)
    chosen = st.selectbox(
        "Run",
        ids,
        index=ids.index(named) if named in by_id else 0,
        format_func=lambda one: label(by_id[one]),
        help="Runs that ended with a model, newest first.",
    )
    st.query_params["run"] = chosen
    return by_id[chosen]


def label(run: Run) -> str:
    """A run in a list: name, val accuracy, id."""
    accuracy = run.result.get("val_accuracy")
    val = "" if accuracy is None else f" · val {accuracy:.1%}"
    name = run.name if len(run.name) <= LONGEST else f"{run.name[: LONGEST - 1]}…"
    return f"{name}{val} · {run.id}"
