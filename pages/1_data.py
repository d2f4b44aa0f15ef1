"""Data: bring labelled photographs, see their classes and splits."""

import html
import math
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from pages.data import importing
from pages.shared import addresses, kept, session, shell, tables
from transfer.datasets import library
from transfer.datasets.decoding import Grey
from transfer.datasets.revision import SPLITS, Image, Revision
from transfer.errors import TransferError
from transfer.export import keeping

PAGES = Path(__file__).parent
#: Pictures of a class, and classes on one page of them.
SHOWN = 8
CLASSES = 10


def show_dataset(revision: Revision) -> None:
    """Classes, counts by split as they will be used, and pictures of each class."""
    given = revision.split_source == "given"
    how = "as the folders give it" if given else f"stratified, seed {revision.seed}"
    st.caption(
        f"{len(revision.images):,} images · {len(revision.class_names):,} classes · "
        f"split {how} · revision {revision.id}"
    )
    for note in revision.notes:
        st.caption(shell.escape(note))
    show_counts(revision)
    if passed_over := revision.passed_over:
        files = "1 file was" if len(passed_over) == 1 else f"{len(passed_over):,} were"
        with st.expander(f"{files} passed over"):
            tables.show(passed_over, hide_index=True)
    show_flat(revision)
    show_chosen(revision)
    show_pictures(revision)


def show_flat(revision: Revision) -> None:
    """The images in which a model sees next to nothing; they are kept."""
    if not revision.flat:
        return
    one = len(revision.flat) == 1
    found = "1 image comes" if one else f"{len(revision.flat):,} images come"
    with st.expander(f"{found} out nearly constant", icon=":material/contrast:"):
        st.caption(
            "As the model sees them they are one flat colour, so it can learn next to "
            "nothing from them. They are part of the dataset all the same."
        )
        tables.show(pd.DataFrame({"file": revision.flat}), hide_index=True)


def show_chosen(revision: Revision) -> None:
    """The images that the address names by the beginnings of their hashes."""
    named = tuple(one for one in st.query_params.get("images", "").split(",") if one)
    found = [one for one in revision.images if named and one.sha256.startswith(named)]
    if not found:
        return
    st.subheader("Chosen images")
    st.html(_gallery(found, revision.grey))
    rows = [(revision.class_names[one.label], one.split, one.path) for one in found]
    columns = ["class", "split", "file"]
    tables.show(pd.DataFrame(rows, columns=columns), hide_index=True)
    if st.button("Show them no longer"):
        st.query_params.pop("images")
        st.rerun()


def show_counts(revision: Revision) -> None:
    """Images by class and split."""
    counts = pd.DataFrame.from_dict(revision.counts(), orient="index")[list(SPLITS)]
    most = int(counts.to_numpy().max())
    columns: dict[str, Any] = {
        split: st.column_config.ProgressColumn(
            split, format="%d", min_value=0, max_value=most, width=120
        )
        for split in SPLITS
    }
    columns["class"] = st.column_config.TextColumn("class", width="medium")
    # A column and not the index, which is pinned: a long name would hide the counts.
    table = counts.rename_axis("class").reset_index()
    tables.show(
        table,
        column_config=columns,
        hide_index=True,
        alt="Images by class and split",
    )


def show_pictures(revision: Revision) -> None:
    """Some pictures of every class, a screenful of classes at a time."""
    by_label: dict[int, list[Image]] = {}
    for image in revision.images:
        by_label.setdefault(image.label, []).append(image)
    names = list(enumerate(revision.class_names))
    pages = math.ceil(len(names) / CLASSES)
    place = st.container()
    page = 1
    if pages > 1:
        page = st.pagination(pages, key=f"classes-{revision.id}")
    with place:
        for label, name in names[(page - 1) * CLASSES : page * CLASSES]:
            st.markdown(f"**{shell.escape(name)}**")
            st.html(_gallery(by_label[label][:SHOWN], revision.grey))


def _gallery(images: list[Image], grey: Grey | None) -> str:
    """HTML of a row of squares, which stand still while the pictures come."""
    squares = "".join(
        f'<img src="{addresses.thumbnail(image.sha256, grey)}" loading="lazy" '
        f'alt="{html.escape(image.path)}" title="{html.escape(image.path)}" '
        'style="width:100%;aspect-ratio:1;object-fit:cover;border-radius:6px;'
        'background:rgba(128,140,150,.15)">'
        for image in images
    )
    columns = "repeat(auto-fill,minmax(7.5rem,1fr))"
    return (
        f'<div style="display:grid;gap:.5rem;grid-template-columns:{columns}">'
        f"{squares}</div>"
    )


@st.dialog("Delete this dataset?")
def confirm_delete(name: str) -> None:
    """Asks once more."""
    needing = [
        shell.escape(run.name)
        for run in session.store().going_on()
        if run.dataset == name
    ]
    if needing:
        names = ", ".join(needing)
        st.warning(f"Runs that go on or wait need it: {names}. Stop them first.")
    st.write(
        f"“{shell.escape(name)}” and its images are removed. Models of it stay: they "
        "can be exported and used, for which a few hundred images of each are kept. "
        "They cannot be evaluated on other images, resumed or continued any more."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        keep = st.button("Keep")
        delete = st.button("Delete for good", type="primary", disabled=bool(needing))
    if delete:
        try:
            keeping.delete_dataset(session.store(), name)
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
    st.session_state["came-in"] = made
    st.query_params["dataset"] = made.dataset
    st.rerun()


def show_arrival(made: Revision) -> None:
    """What a new dataset holds, once, at the top of the page."""
    of_split = {split: len(made.of_split(split)) for split in SPLITS}
    counts = ", ".join(f"{count:,} {split}" for split, count in of_split.items())
    text = (
        f"**{shell.escape(made.dataset)}** came in: {len(made.images):,} images in "
        f"{len(made.class_names):,} classes ({counts})."
    )
    if made.passed_over:
        text += f" {len(made.passed_over):,} passed over; they are named below."
    notes = "".join(f"\n- {shell.escape(note)}" for note in made.notes)
    st.success(f"{text}\n{notes}", icon=":material/check:")
    shell.scroll_here(made.id)


shell.begin_page("Data", "One folder per class. Bring a folder or a zip of them.")
datasets = {one.dataset: one for one in library.list_datasets()}
with st.container():
    if came := st.session_state.pop("came-in", None):
        show_arrival(came)
    # What was brought, and what is said of it, is then in view on a small screen.
    elif not datasets and not importing.has_source():
        st.info(
            "No dataset yet. Put your photographs into one folder per class, for "
            "example `flowers/roses/…` and `flowers/tulips/…`, and bring the outer "
            "folder.",
            icon=":material/photo_library:",
        )
        st.markdown("No photographs at hand? These samples need no internet:")
        if made := importing.show_samples("empty"):
            show_made(made)
# Whether it is a fold stays the same until an import is done, also when somebody else
# imports meanwhile: an uploader that is moved on the page loses its upload.
is_first = st.session_state.setdefault("is_first_import", not datasets)
place = st.container(border=True) if is_first else st.expander("Import a dataset")
with place:
    if made := importing.show_import():
        show_made(made)
if datasets:
    gone = "There is no dataset {}, so another one is shown."
    chosen = kept.choose(st, "dataset", list(datasets), gone)
    # Above the pictures, which may be many screens of classes.
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            PAGES / "2_model.py",
            label="Choose a model",
            icon=":material/arrow_forward:",
            query_params={"dataset": chosen},
        )
        if st.button("Delete this dataset", icon=":material/delete:"):
            confirm_delete(chosen)
    show_dataset(datasets[chosen])
