"""Data: bring labelled photographs, see their classes and splits."""

import html
from pathlib import Path

import pandas as pd
import streamlit as st

from pages.shared import addresses, runs, shell, uploader
from transfer.datasets import ingest, library, roots
from transfer.datasets.revision import SPLITS, Revision
from transfer.errors import TransferError

PAGES = Path(__file__).parent
SHOWN = 8


def import_form(source: Path | None, key: str) -> None:
    """Name and split of a new dataset; imports it when asked to."""
    with st.form(f"import-{key}", border=False):
        name = st.text_input("Name of the dataset", max_chars=64, key=f"name-{key}")
        val, test, seed = st.columns(3)
        share = val.slider(
            "Share for validation (val)", 0.0, 0.5, 0.2, 0.05, key=f"val-{key}"
        )
        held = test.slider("Share for test", 0.0, 0.5, 0.0, 0.05, key=f"test-{key}")
        number = seed.number_input("Seed of the split", 0, value=0, key=f"seed-{key}")
        asked = st.form_submit_button("Import", type="primary")
    if asked and source is None:
        st.warning("Choose a folder or a zip first, and wait until it has arrived.")
    elif asked and source is not None:
        import_now(source, name, share, held, int(number))


def import_now(source: Path, name: str, val: float, test: float, seed: int) -> None:
    """Imports, and shows the new dataset; what is wrong is said and nothing is kept."""
    bar = st.progress(0.0, "Reading …")

    def progress(done: int, of: int) -> None:
        if done % 25 == 0 or done == of:
            bar.progress(done / max(of, 1), f"Checked {done} of {of} images")

    try:
        made = ingest.import_path(
            source, name.strip(), val=val, test=test, seed=seed, progress=progress
        )
    except TransferError as error:
        bar.empty()
        shell.show_error(error)
        return
    uploader.forget()
    st.query_params["dataset"] = made.dataset
    st.rerun()


def show_import() -> None:
    """The two ways to bring images."""
    upload, server = st.tabs(["Upload", "Folder on this server"])
    with upload:
        arrived = uploader.folder_upload()
        if report := st.session_state.get("upload_report"):
            left_out = report["chosen"] - report["sent"]
            st.success(
                f"{report['arrived']} files arrived; {report['failed']} failed; "
                f"{left_out} that are no pictures were left out.",
                icon=":material/check:",
            )
        import_form(arrived, "upload")
    with server:
        text = st.text_input("Path of a folder or zip on the server")
        source = None
        if text:
            try:
                source = roots.resolve(text)
            except TransferError as error:
                shell.show_error(error)
        import_form(source, "server")


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
        st.markdown(f"**{runs.escaped(name)}**")
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
        f"“{runs.escaped(name)}” and its images are removed. Its runs keep models."
    )
    if st.button("Delete", type="primary"):
        library.delete(name)
        st.query_params.pop("dataset", None)
        st.rerun()


shell.begin_page("Data", "One folder per class. Bring a folder or a zip of them.")
datasets = {one.dataset: one for one in library.list_datasets()}
if not datasets:
    st.info(
        "No dataset yet. Put your photographs into one folder per class, for example "
        "`flowers/roses/…` and `flowers/tulips/…`, and bring the outer folder.",
        icon=":material/photo_library:",
    )
with st.expander("Import a dataset", expanded=not datasets):
    show_import()
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
