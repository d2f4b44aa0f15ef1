"""Data: bring labelled photographs, see their classes and splits."""

import html
from pathlib import Path

import pandas as pd
import streamlit as st

from pages.shared import addresses, importing, shell
from transfer.datasets import library
from transfer.datasets.revision import SPLITS, Revision

PAGES = Path(__file__).parent
SHOWN = 8


def show_dataset(revision: Revision) -> None:
    """Classes, counts by split as they will be used, and pictures of each class."""
    given = revision.split_source == "given"
    how = "as the folders give it" if given else f"stratified, seed {revision.seed}"
    st.caption(
        f"{len(revision.images):,} images · {len(revision.class_names)} classes · "
        f"split {how} · revision {revision.id}"
    )
    counts = pd.DataFrame.from_dict(revision.counts(), orient="index")[list(SPLITS)]
    most = int(counts.to_numpy().max())
    columns: dict[str, object] = {
        split: st.column_config.ProgressColumn(
            split, format="%d", min_value=0, max_value=most
        )
        for split in SPLITS
    }
    st.dataframe(counts.rename_axis("class"), column_config=columns)
    for label, name in enumerate(revision.class_names):
        of_class = [one for one in revision.images if one.label == label][:SHOWN]
        st.markdown(f"**{shell.escaped(name)}**")
        with st.container(horizontal=True, gap="small"):
            for image in of_class:
                st.html(
                    f'<img src="{addresses.thumbnail(image.sha256)}" loading="lazy" '
                    f'alt="{html.escape(name)}" style="height:96px;border-radius:6px">',
                    width="content",
                )
    if revision.passed_over:
        with st.expander(f"{len(revision.passed_over)} files were passed over"):
            st.dataframe(pd.DataFrame(revision.passed_over), hide_index=True)


@st.dialog("Delete this dataset?")
def confirm_delete(name: str) -> None:
    """Asks once more."""
    st.write(
        f"“{shell.escaped(name)}” and its images are removed. Its runs keep models."
    )
    if st.button("Delete", type="primary"):
        library.delete(name)
        st.query_params.pop("dataset", None)
        st.rerun()


shell.begin_page("Data", "One folder per class. Bring a folder or a zip of them.")
datasets = {one.dataset: one for one in library.list_datasets()}
# In a place of its own: were the uploader moved on the page, it would stop its upload.
with st.container():
    if not datasets:
        st.info(
            "No dataset yet. Put your photographs into one folder per class, for "
            "example `flowers/roses/…` and `flowers/tulips/…`, and bring the outer "
            "folder.",
            icon=":material/photo_library:",
        )
with st.expander("Import a dataset", expanded=not datasets):
    if made := importing.show_import():
        st.query_params["dataset"] = made.dataset
        st.rerun()
if datasets:
    asked_for = st.query_params.get("dataset")
    names = list(datasets)
    chosen = st.selectbox(
        "Dataset", names, names.index(asked_for) if asked_for in names else 0
    )
    st.query_params["dataset"] = chosen
    show_dataset(datasets[chosen])
    with st.container(horizontal=True):
        st.page_link(
            PAGES / "2_model.py",
            label="Choose a model",
            icon=":material/arrow_forward:",
            query_params={"dataset": chosen},
        )
        if st.button("Delete this dataset", icon=":material/delete:"):
            confirm_delete(chosen)
