"""Chooses one of the runs that have a model; the address names it."""

import streamlit as st

from pages.shared.shell import escaped
from transfer.runs.record import Run

#: Letters of a run's name in the list, so that what follows it is seen.
LONGEST = 50


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
    val = "" if accuracy is None else f" · val accuracy {accuracy:.1%}"
    name = run.name if len(run.name) <= LONGEST else f"{run.name[: LONGEST - 1]}…"
    return f"{name}{val} · {run.id}"
