"""What was done to a dataset: undone, gone back to, compared."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.shared import mending, session, shell, tables
from pages.shared.words import spoken
from transfer.datasets import classes, history, library
from transfer.datasets.history import Difference, Step
from transfer.datasets.revision import Image, Revision
from transfer.errors import TransferError


def choose(newest: Revision) -> Revision:
    """The revision in the address, else the newest; what it is, is said."""
    wanted = st.query_params.get("revision", "")
    if wanted in ("", newest.id):
        st.query_params.pop("revision", None)
        return newest
    try:
        found = library.load(newest.dataset, wanted)
    except TransferError as error:
        shell.show_error(error)
        return newest
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/history: Revision {found.id}, as it was after: "
            f"{shell.escape(found.says or 'the import.')}"
        )
        if st.button("See the newest"):
            st.query_params.pop("revision")
            st.rerun()
        if session.may("change", newest.dataset) and st.button(
            "Go back to it", type="primary"
        ):
            st.query_params.pop("revision")
            says = f"Gone back to {found.id}."
            name = newest.dataset
            mending.do(name, lambda: history.go_to(name, found.id), says)
    return found


def offer_undo(newest: Revision, key: str = "undo") -> None:
    """A button that takes the last change back."""
    if newest.parent and st.button(
        f"Undo: {shell.escape(newest.says)}", icon=":material/undo:", key=key
    ):
        says = f"Undone: {newest.says}"
        name = newest.dataset
        mending.do(name, lambda: history.undo(name, newest.id), says)


def offer_classes(newest: Revision) -> None:
    """What can be done with classes as a whole."""
    name, by = newest.dataset, session.who()
    key = f"change-classes-{newest.id}"
    with st.popover("Classes", icon=":material/label:", key=key):
        what = st.segmented_control(
            "What",
            ["Rename", "Merge", "Add"],
            default="Rename",
            required=True,
            key=f"{key}-what",
            label_visibility="collapsed",
        )
        old = (
            st.selectbox("Class", newest.class_names, index=None, key=f"{key}-old")
            if what == "Rename"
            else ""
        )
        merged = (
            st.multiselect("Classes", newest.class_names, key=f"{key}-merged")
            if what == "Merge"
            else []
        )
        new = st.text_input("New name", key=f"{key}-new").strip()
        go = st.button(what, type="primary", key=f"{key}-go")
        st.caption(
            f"To split one, choose {spoken().images} of it under “All "
            f"{spoken().images}” and move them to a new class."
        )
    if not go:
        return
    if what == "Rename" and old:
        mending.do(name, lambda: classes.rename(name, old, new, by))
    elif what == "Merge":
        mending.do(name, lambda: classes.merge(name, merged, new or merged[0], by))
    elif what == "Add":
        mending.do(name, lambda: classes.add(name, new, by))


def show(newest: Revision) -> None:
    """The list of all revisions; of two that are chosen, what tells them apart."""
    steps = history.steps(newest.dataset)
    named = session.store().revisions(newest.dataset)
    rows = [
        {
            "when": pd.Timestamp(step.head.created_at, unit="s"),
            "who": step.head.by,
            "what": step.head.says or "Imported.",
            "": _state(step),
            "runs": ", ".join(named.get(step.head.id, [])),
            "revision": step.head.id,
        }
        for step in steps
    ]
    event = tables.show(
        rows,
        hide_index=True,
        key=f"revisions-{newest.id}",
        on_select="rerun",
        selection_mode="multi-row",
        column_config={"when": st.column_config.DatetimeColumn(format="distance")},
        alt="Revisions, the newest first",
    )
    chosen = [steps[at].head.id for at in sorted(event.selection.rows)][:2]
    if not chosen:
        st.caption(
            "Choose one to see it or to go back to it, or two to compare them. The "
            f"last {history.KEPT} are kept, those of {history.KEPT_DAYS} days, the "
            "first, each that a run names, and those that any of these builds on."
        )
        return
    if len(chosen) == 1:
        if st.button("See this revision", icon=":material/history:"):
            st.query_params["revision"] = chosen[0]
            st.rerun()
        return
    later, earlier = (library.load(newest.dataset, one) for one in chosen)
    _show_difference(earlier, later)


def _show_difference(earlier: Revision, later: Revision) -> None:
    """What changed, a line each; images are seen where they are still, or already."""
    found = history.compare(earlier, later)
    changes = _changes(found)
    for says, images, is_earlier in changes:
        hashes = [one.sha256 for one in images]
        seen_in = earlier if is_earlier else later
        mending.link(later.dataset, hashes, shell.escape(says), seen_in.id)
    classes_ = {"New": found.new_classes, "Gone": found.gone_classes}
    lines = [
        f"- {what} classes: {shell.escape(', '.join(names))}"
        for what, names in classes_.items()
        if names
    ]
    if not changes and not lines:
        lines = ["Nothing tells them apart."]
    st.markdown("\n".join(lines))


def _state(step: Step) -> str:
    return "now" if step.is_newest else "undone" if step.is_undone else ""


def _changes(found: Difference) -> list[tuple[str, Sequence[Image], bool]]:
    """What changed with which images, and whether the earlier revision shows them."""
    moved = [
        (f"{len(images):,} from {before} to {after}", images, False)
        for (before, after), images in found.moved.items()
    ]
    others = [
        ("added", found.added, False),
        ("gone", found.gone, True),
        ("left out", found.left_out, True),
        ("restored", found.restored, False),
        ("in another split", found.other_split, False),
    ]
    counted = [
        (f"{len(images):,} {what}", images, is_earlier)
        for what, images, is_earlier in others
        if images
    ]
    return [*moved, *counted]
