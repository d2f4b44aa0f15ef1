"""Whether one run is better than another, all in all and by class."""

from typing import Any

import streamlit as st

from pages.shared import shell, tables
from pages.shared.words import spoken
from transfer.evaluation import comparing
from transfer.evaluation.comparing import Paired
from transfer.store import outcome
from transfer.store.record import Run


def show(first: Run, second: Run, names: dict[str, str]) -> None:
    """Whether the second run is better than the first, and in which classes."""
    one, other = (f"“{shell.escape(names[run.id])}”" for run in (first, second))
    learnt = [run.result.get("class_names") for run in (first, second)]
    # The same label would mean another class in each.
    if all(learnt) and learnt[0] != learnt[1]:
        st.caption(f"{one} and {other} learnt different classes: no comparison holds.")
        return
    found = comparing.compare(first, second)
    if found is None:
        st.caption(
            f"{one} and {other}: no answers on the same val {spoken().images} yet. "
            "They are stored when a run ends and when it is evaluated."
        )
        return
    st.markdown(in_words(one, other, found))
    # The test counts right answers; who weighted classes wanted something else.
    if any(outcome.measure(run) != "accuracy" for run in (first, second)):
        st.caption(
            "That is by top-1 accuracy. In balanced accuracy, at which weights aim, "
            f"{other} is {100 * found.balanced_difference:+.1f} points from {one}."
        )
    with st.expander(f"By class: {one} and {other}"):
        _show_classes(names[first.id], names[second.id], found)


def in_words(first: str, second: str, found: Paired) -> str:
    """One sentence: better, worse, or not to be told; with the figures."""
    difference, low, high = (100 * one for one in found.difference)
    tested = (
        f"on {found.images:,} same {spoken().images} only {first} was right on "
        f"{found.only_first}, only {second} on {found.only_second}; p = "
        f"{found.p_value:.2g}"
    )
    if not found.is_real:
        span = f"95 % interval {low:+.1f} to {high:+.1f}"
        # With its sign, for here nobody says which is the better one.
        points = f"{difference:+.1f} points"
        return (
            f"**{second} is not told apart from {first}** ({points}, {span}; {tested})."
        )
    better, worse = (second, first) if difference > 0 else (first, second)
    least, most = (low, high) if difference > 0 else (-high, -low)
    points = f"{abs(difference):.1f} points"
    span = f"95 % interval {least:.1f} to {most:.1f}"
    return f"**{better} is better than {worse} by {points}** ({span}; {tested})."


def _show_classes(first: str, second: str, found: Paired) -> None:
    """Each class's share of right answers in both, most different first."""
    rows: list[dict[str, Any]] = [
        {
            "Class": name,
            spoken().images.capitalize(): images,
            f"1: {first}": 100 * one,
            f"2: {second}": 100 * other,
            "Difference": 100 * (other - one),
        }
        for name, (images, one, other) in found.classes.items()
    ]
    # What differs most is what one looks for.
    rows.sort(key=lambda row: -abs(row["Difference"]))
    percent = st.column_config.NumberColumn(format="%.1f%%")
    tables.show(
        rows,
        hide_index=True,
        alt="Right answers by class",
        column_config={
            f"1: {first}": percent,
            f"2: {second}": percent,
            "Difference": st.column_config.NumberColumn(format="%+.1f"),
        },
    )
