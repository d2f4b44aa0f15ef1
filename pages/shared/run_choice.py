"""Chooses one of the runs that have a model; the address names it."""

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from pages.shared import kept, session, words
from pages.shared.shell import escape
from transfer.store import outcome
from transfer.store.record import Run, default_name
from transfer.store.summaries import Summary

PAGES = Path(__file__).resolve().parents[1]
#: Letters of a run's name in the list, so that what follows it is seen.
LONGEST = 40


class Step(NamedTuple):
    """What is missing next towards a model.

    Attributes:
        says: How things stand.
        page: File of the page where one goes on.
        label: Of the link to it.
        query: What its address says besides.
    """

    says: str
    page: str
    label: str
    query: dict[str, str]


def show_none(says: str, icon: str) -> None:
    """Says that no run has a model yet, and leads to the next step towards one.

    Args:
        says: What this page does with a model.
        icon: Of the page.
    """
    step = next_step()
    st.info(f"No model yet. {says}\n\n{step.says}", icon=icon)
    show_link(step)


def show_link(step: Step) -> None:
    """The link to the page where one goes on."""
    st.page_link(
        PAGES / step.page,
        label=step.label,
        icon=":material/arrow_forward:",
        query_params=step.query,
    )


def next_step() -> Step:
    """What is missing where no run has a model: data, a run, or its end."""
    store = session.store()
    # In the order of what helps soonest: wait for a run, look why one failed, start
    # one, bring data.
    if going_on := store.going_on():
        query = {"run": going_on[0].id} if len(going_on) == 1 else {}
        name = escape(going_on[0].name)
        says = f"{name} goes on: its model is here once it has ended."
        return Step(says, "3_runs.py", "Watch it", query)
    for last in store.summaries(limit=1):
        says = f"The last run, {escape(last.name)}, is {last.status} and left none."
        return Step(says, "3_runs.py", "See why", {"run": last.id})
    if found := session.datasets():
        says = "The data is here; what is missing is a run."
        query = {"dataset": found[0].dataset} if len(found) == 1 else {}
        return Step(says, "2_model.py", "Choose a model and start a run", query)
    says = "Labelled examples come first: a folder for each class, or a sample."
    return Step(says, "1_data.py", "Bring data", {})


def choose(with_model: list[Summary]) -> Run:
    """The run of the list; the one that the address names is chosen at first."""
    chosen = kept.choose(
        st,
        "run",
        [run.id for run in with_model],
        "There is no run {} with a model, so another one is chosen.",
        format_func=labels(with_model).get,
        help="Runs that ended with a model, newest first.",
    )
    run = session.store().get(chosen)
    words.speak_of(run.dataset_kind)
    return run


def labels(found: list[Summary]) -> dict[str, str]:
    """What runs are called in a list, by id: name, val, what it does not say, id."""
    # What is the same for all would only push the rest out of view.
    datasets = {run.dataset for run in found}
    if len(datasets) < 2:
        return {run.id: _label(run, "") for run in found}
    called = {one: session.dataset_label(one) for one in datasets}
    return {run.id: _label(run, called[run.dataset]) for run in found}


def _label(run: Summary, dataset: str) -> str:
    # Whoever gave a run no name has it already, made of just this.
    described = default_name(run.config)
    parts = [
        words.cut(run.name, LONGEST),
        outcome.headline_in_words(run).partition(" (")[0],
        described if described != run.name else "",
        dataset,
        run.id,
    ]
    return " · ".join(part for part in parts if part)
