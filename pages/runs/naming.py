"""What the user says of runs: name, note and tags; and what is done with several."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.shared import amounts, session, shell
from transfer.errors import TransferError
from transfer.store.record import Run
from transfer.store.summaries import Summary
from transfer.upkeep import trash


def tick_key(run_id: str) -> str:
    """Where it is kept whether the run is ticked."""
    return f"tick-{run_id}"


def show_actions(ids: list[str]) -> None:
    """Buttons for those of the runs that are ticked in the list."""
    ticked = [one for one in ids if st.session_state.get(tick_key(one))]
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Compare",
            icon=":material/compare_arrows:",
            disabled=len(ticked) < 2,
            help="Tick two or more runs.",
            key="compare",
        ):
            st.query_params["compare"] = ",".join(ticked)
            st.rerun()
        idle = not ticked
        if st.button("Tag", icon=":material/label:", disabled=idle, key="tag"):
            show_tags(session.store().summaries(ids=ticked))
        if st.button("Delete", icon=":material/delete:", disabled=idle, key="delete"):
            confirm_delete(session.store().summaries(ids=ticked))
        st.button(
            "Tick all" if idle else f"Untick {len(ticked)}",
            type="tertiary",
            on_click=_tick,
            args=(ids, idle),
        )


def _tick(ids: list[str], ticked: bool) -> None:
    for one in ids:
        st.session_state[tick_key(one)] = ticked


@st.dialog("Name, note, tags")
def show_form(run: Run) -> None:
    """Asks what the run is to be called and what to remember of it."""
    name = st.text_input("Name", run.name)
    tags = _tags(run.tags)  # not last: its list would open over the button
    note = st.text_area("Note", run.note, placeholder="What did you learn from it?")
    if not st.button("Save", type="primary"):
        return
    if not name.strip():
        st.error("A run needs a name.")
    else:
        _describe(run.id, name=name, note=note, tags=tags)


@st.dialog("Tag these runs")
def show_tags(ticked: list[Summary]) -> None:
    """Asks for the tags of several runs; those that all of them have are there."""
    # Those of single runs are left as they are: who tags several speaks of what they
    # share.
    common = set(ticked[0].tags).intersection(*(run.tags for run in ticked))
    tags = _tags(tuple(sorted(common)))
    if st.button("Save", type="primary"):
        for run in ticked:
            _describe(run.id, tags=[*set(run.tags) - common, *tags], close=False)
        st.rerun()


def _tags(chosen: tuple[str, ...]) -> list[str]:
    # All tags that there are, so that nobody writes one in two ways.
    known = {tag for run in session.store().summaries() for tag in run.tags}
    written = st.multiselect(
        "Tags",
        sorted({*known, *chosen}),
        list(chosen),
        accept_new_options=True,
        placeholder="Choose or write a word",
    )
    # Somebody may write several at once, with commas.
    return [tag for one in written for tag in one.split(",")]


def _describe(run_id: str, close: bool = True, **words: Any) -> None:
    try:
        session.store().describe(run_id, **words)
    except TransferError as error:
        st.error(shell.escape(str(error)))
        return
    if close:
        st.rerun()


@st.dialog("Delete?")
def confirm_delete(ticked: Sequence[Run | Summary]) -> None:
    """Asks once more, and says what goes and for how long there is a way back."""
    names = ", ".join(f"**{shell.escape(run.name)}**" for run in ticked)
    st.write(
        f"{names}: curves, logs and models go into the trash, from which they can be "
        f"restored for {amounts.days(trash.days())}. The datasets stay, and so do the "
        "other runs."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        keep = st.button("Keep")
        delete = st.button("Delete", type="primary", key="delete-now")
    if delete:
        try:
            for run in ticked:
                trash.put_run(session.store(), run.id)
        except TransferError as error:
            st.error(shell.escape(str(error)))
            return
        # The page of the run may be open, and would say that there is none.
        st.query_params.pop("run", None)
    if keep or delete:
        st.rerun()
