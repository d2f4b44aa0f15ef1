"""Data: bring labelled photographs, see their classes and splits."""

from functools import partial
from pathlib import Path

import streamlit as st

from pages.data import (
    contents,
    doctor,
    enough,
    folds,
    imagenet,
    importing,
    kind_choice,
    more,
    pile,
    revisions,
)
from pages.shared import (
    amounts,
    drawn,
    handed,
    kept,
    room,
    session,
    sharing,
    shell,
    words,
)
from pages.shared.words import spoken
from transfer.datasets import names, wording
from transfer.datasets.revision import SPLITS, Revision
from transfer.errors import TransferError
from transfer.upkeep import trash

PAGES = Path(__file__).parent


@st.dialog("Delete this dataset?")
def confirm_delete(name: str) -> None:
    """Asks once more."""
    # Asked before the button is offered: the guard in the core would refuse it all the
    # same.
    needing = [
        shell.escape(run.name)
        for run in session.store().going_on()
        if run.dataset == name
    ]
    if needing:
        listed = ", ".join(needing)
        st.warning(f"Runs that go on or wait need it: {listed}. Stop them first.")
    st.write(
        f"“{shell.escape(names.title(name))}” goes into the trash, from which it can "
        f"be restored for {amounts.days(trash.days())}. Models of it stay: they can "
        f"be exported and used, for which a few hundred {spoken().images} of each are "
        f"kept. Without it they cannot be evaluated on other {spoken().images}, "
        "resumed or continued."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        keep = st.button("Keep")
        delete = st.button("Delete", type="primary", disabled=bool(needing))
    if delete:
        try:
            trash.put_dataset(session.store(), name)
        except TransferError as error:
            shell.show_error(error)
            return
        st.session_state.pop("is_first_import", None)
        st.query_params.pop("dataset", None)
    if keep or delete:
        st.rerun()


def show_made(made: Revision) -> None:
    """Turns to a new dataset; the form that made it becomes a fold."""
    st.session_state.pop("is_first_import", None)
    # Shown by the next run of the page, for this one ends here.
    st.session_state["came-in"] = made
    st.query_params["dataset"] = made.dataset
    st.rerun()


def show_import() -> None:
    """The ways to bring a dataset."""
    before = words.spoken_of()
    try:
        begun = importing.show_import()
    finally:
        words.speak_of(before)  # what follows is about the dataset again
    if begun:
        show_made(begun)


def show_arrival(made: Revision) -> None:
    """What a new dataset holds, once, at the top of the page."""
    of = wording.WORDS[made.kind]
    if not made.images:
        st.success(
            f"**{shell.escape(made.title)}** is there. Bring its first "
            f"{of.pictures} under “Add {of.images}”"
            + (" or “Sort pictures without labels”." if of.image == "image" else "."),
            icon=":material/check:",
        )
        return
    of_split = {split: len(made.of_split(split)) for split in SPLITS}
    counts = ", ".join(f"{count:,} {split}" for split, count in of_split.items())
    text = (
        f"**{shell.escape(made.title)}** came in: {of.so_many(len(made.images))} in "
        f"{len(made.class_names):,} classes ({counts})."
    )
    if made.passed_over:
        text += f" {len(made.passed_over):,} passed over; they are named below."
    notes = "".join(f"\n- {shell.escape(note)}" for note in made.notes)
    st.success(f"{text}\n{notes}", icon=":material/check:")
    shell.scroll_here(made.id)


shell.begin_page("Data", "One folder per class. Bring a folder or a zip of them.")
datasets = {one.dataset: one for one in session.datasets()}
handed.show()
with st.container():
    if made := importing.show_progress():
        show_made(made)
    if came := st.session_state.pop("came-in", None):
        show_arrival(came)
    # What was brought, and what is said of it, is then in view on a small screen.
    elif not datasets and not importing.has_source():
        kind = kind_choice.kind()
        st.info(kind_choice.FOLDERS[kind], icon=kind_choice.ICONS[kind])
        what = wording.WORDS[kind].photographs
        st.markdown(f"No {what} at hand? These samples need no internet:")
        importing.show_samples("empty", kind)
room.show("disk", "images")
# Whether it is a fold stays the same until an import is done, also when somebody else
# imports meanwhile: an uploader that is moved on the page loses its upload.
is_first = st.session_state.setdefault("is_first_import", not datasets)
if is_first:
    with st.container(border=True):
        show_import()
else:
    folds.show("Import a dataset", show_import, key="import-fold", stays=True)
if datasets:
    gone = "There is no dataset {}, so another one is shown."
    chosen = kept.choose(
        st, "dataset", list(datasets), gone, format_func=session.dataset_label
    )
    newest = datasets[chosen]
    revision = revisions.choose(newest)
    words.speak_of(revision.kind)
    # An old one, and one of somebody else's, can be looked at, trained on, exported.
    can_change = revision.id == newest.id and session.may("change", chosen)
    # Above the pictures, which may be many screens of classes.
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            PAGES / "2_model.py",
            label="Train a model with it",
            icon=":material/arrow_forward:",
            query_params={"dataset": chosen},
        )
        if session.may("delete", chosen) and st.button(
            "Delete this dataset", icon=":material/delete:"
        ):
            confirm_delete(chosen)
        sharing.show_dataset(chosen)
        if can_change:
            revisions.offer_classes(newest)
            revisions.offer_undo(newest)
    doctor.show(revision, can_change)
    enough.show(revision)
    if revision.kind == "images":
        imagenet.show(revision)
    drawn.show(revision)
    contents.show(revision, can_change)
    if can_change:
        more.show_adding(newest)
        if newest.kind == "images":
            pile.show(newest)
    more.show_export(revision)
    folds.show(
        "Revisions",
        partial(revisions.show, newest),
        key=f"revisions-of-{chosen}",
        icon=":material/history:",
    )
