"""What a dataset holds: classes, counts by split, pictures; what was passed over."""

import math
from typing import Any

import pandas as pd
import streamlit as st

from pages.data import gallery
from pages.shared import shell, tables, tiles
from pages.shared.words import spoken
from transfer.datasets.revision import SPLITS, Image, Revision

#: Pictures of a class, and classes on one page of them.
SHOWN = 8
CLASSES = 10


def show(revision: Revision, is_newest: bool = True) -> None:
    """Classes, counts by split as they will be used, and pictures of each class.

    Args:
        revision: What is shown.
        is_newest: Whether it is the dataset's newest, which alone can be changed.
    """
    # Said at once: a split that differs from the one expected spoils every figure.
    given = revision.split_source == "given"
    how = "as the folders give it" if given else f"stratified, seed {revision.seed}"
    st.caption(
        f"{spoken().so_many(len(revision.images))} · "
        + f"{len(revision.class_names):,} classes · "
        + (f"{len(revision.left_out):,} left out · " if revision.left_out else "")
        + f"split {how} · revision {revision.id}"
    )
    # What the import made of names and folders, so that a mistake is seen here and not
    # in the accuracy.
    for note in revision.notes:
        st.caption(shell.escape(note))
    _show_counts(revision)
    if passed_over := revision.passed_over:
        files = "1 file was" if len(passed_over) == 1 else f"{len(passed_over):,} were"
        with st.expander(f"{files} passed over"):
            tables.show(passed_over, hide_index=True)
    _show_flat(revision)
    # Whoever follows a link to some images wants to see these.
    views = ["Some of each class", f"All {spoken().images}"]
    view = st.segmented_control(
        spoken().pictures.capitalize(),
        views,
        default=views["chosen" in st.query_params],
        required=True,
        label_visibility="collapsed",
        key=f"pictures-{st.query_params.get('chosen', '')}",
    )
    if view == views[1]:
        gallery.show(revision, is_newest)
    else:
        _show_pictures(revision)


def _show_flat(revision: Revision) -> None:
    """The images in which a model sees next to nothing; they are kept."""
    if not revision.flat:
        return
    found = (
        "1 image comes"
        if len(revision.flat) == 1
        else f"{len(revision.flat):,} images come"
    )
    if revision.kind == "sounds":
        with st.expander(f"{len(revision.flat):,} silent", icon=":material/mic_off:"):
            tables.show(pd.DataFrame({"file": revision.flat}), hide_index=True)
        return
    with st.expander(f"{found} out nearly constant", icon=":material/contrast:"):
        st.caption(
            "As the model sees them they are one flat colour, so it can learn next to "
            "nothing from them. They are part of the dataset all the same."
        )
        tables.show(pd.DataFrame({"file": revision.flat}), hide_index=True)


def _show_counts(revision: Revision) -> None:
    """Images by class and split."""
    counts = pd.DataFrame.from_dict(revision.counts(), orient="index")[list(SPLITS)]
    # One scale for all bars, or a small class would look as large as the largest.
    most = max(1, int(counts.to_numpy().max()))  # of an empty dataset too
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
        alt=f"{spoken().images.capitalize()} by class and split",
    )


def _show_pictures(revision: Revision) -> None:
    """Some pictures of every class, a screenful of classes at a time."""
    # Once for all classes: a search for each would take a thousand times as long with a
    # thousand classes.
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
            if images := by_label.get(label, [])[:SHOWN]:
                st.html(_gallery(images, revision))
            else:
                st.caption(f"No {spoken().image} yet.")


def _gallery(images: list[Image], of: Revision) -> str:
    """HTML of a row of squares, which stand still while the pictures come."""
    squares = (tiles.tile(image.sha256, image.path, of) for image in images)
    narrowest = "7.5rem" if of.kind == "images" else "12rem"  # a player's
    return tiles.row(squares, f"repeat(auto-fill,minmax({narrowest},1fr))")
