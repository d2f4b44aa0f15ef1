"""How images become a dataset: brought by upload or found on the server, then named."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.data import understood
from pages.shared import shell, uploader
from transfer.datasets import library
from transfer.datasets.ingest import allowed_folders, importer, samples
from transfer.datasets.ingest.layouts import Reading
from transfer.datasets.revision import Revision
from transfer.errors import TransferError


def has_source() -> bool:
    """Whether something was brought that is yet to be imported."""
    return uploader.has_arrived() or bool(st.session_state.get(_path_key()))


def show_import() -> Revision | None:
    """The ways to bring images; the dataset once it is made."""
    upload, server, sample, public = st.tabs(
        ["Upload", "Folder on this server", "Samples", "Public sets"]
    )
    with upload:
        arrival = uploader.folder_upload()
        source, called = (arrival.source, arrival.name) if arrival else (None, "")
        made = _import_form(source, called, "upload")
        if made:
            uploader.forget()
    with server:
        made = _import_from_server() or made
    with sample:
        made = show_samples("tab") or made
    with public:
        _show_public_sets()
    return made


def show_samples(key: str) -> Revision | None:
    """The samples, each with a button that makes a dataset of it; that dataset."""
    made = None
    for one, place in zip(samples.SAMPLES.values(), st.columns(2), strict=True):
        with place.container(border=True):
            st.markdown(f"**{one.title}**  \n{shell.escape(one.about)}")
            if st.button(f"Use {one.title.lower()}", key=f"{one.name}-{key}"):
                made = _import_sample(one.name)
    return made


def _import_sample(name: str) -> Revision | None:
    taken = {one.dataset for one in library.list_datasets()}
    numbers = (f"{name} {number}" for number in range(2, len(taken) + 3))
    free = next(one for one in [name, *numbers] if one not in taken)
    try:
        with st.spinner("Making the pictures …"):
            return importer.import_sample(name, free)
    except TransferError as error:
        shell.show_error(error)
        return None


def _show_public_sets() -> None:
    """Where there is internet: what to download, then to upload here."""
    st.caption("Download one of these with your browser, then bring it under Upload.")
    for one in samples.PUBLIC_SETS:
        st.markdown(f"[{one.title}]({one.url}): {shell.escape(one.about)}")


def _import_from_server() -> Revision | None:
    text = st.text_input(
        "Path of a folder or zip on the server",
        key=_path_key(),
        help="Below " + " or ".join(f"`{root}`" for root in allowed_folders.roots()),
    )
    source, called = None, ""
    if text:
        try:
            source = allowed_folders.resolve(text)
            called = source.name if source.is_dir() else source.stem
        except TransferError as error:
            shell.show_error(error)
    made = _import_form(source, called, "server")
    if made:
        st.session_state["server-imports"] = (
            st.session_state.get("server-imports", 0) + 1
        )
    return made


def _path_key() -> str:
    """Of the field for the path, which is a new and empty one after each import."""
    return f"server-path-{_server_imports()}"


def _server_imports() -> int:
    return int(st.session_state.get("server-imports", 0))


def _import_form(source: Path | None, called: str, key: str) -> Revision | None:
    """What was understood, name and split of a new dataset; imports it when asked."""
    called = _allowed_name(called)
    reading, found = understood.show(source, key) if source else (Reading(), None)
    with st.form(f"import-{key}", border=False):
        # Above the button, which is in view when it is pressed.
        place = st.container()
        columns = st.columns([6, 3, 3, 3, 2], vertical_alignment="bottom")
        name = columns[0].text_input(
            "Name of the dataset",
            max_chars=library.MAX_NAME_LENGTH,
            placeholder=called,
            help="Without one it is named like the folder or zip.",
            key=f"name-{key}",
        )
        val, test, seed = _split_choices(columns[1:4], key)
        asked = columns[4].form_submit_button("Import", type="primary", width="stretch")
    if found:
        understood.show_counts(found)
    if not asked:
        return None
    with place:
        st.session_state["presses"] = presses = st.session_state.get("presses", 0) + 1
        shell.scroll_here(f"import-{presses}")
        if source is None:
            st.warning("Choose a folder or a zip first, and wait until it has arrived.")
            return None
        if found is None:
            st.warning("It cannot be imported as it is; above it says why.")
            understood.forget(source)
            return None
        return _import(source, name.strip() or called, val, test, seed, reading)


def _allowed_name(called: str) -> str:
    """What `library.check_name` would take of a folder's name."""
    signs = (
        one if one in " -_." or unicodedata.category(one)[0] in "LMN" else "-"
        for one in called
    )
    return "".join(signs)[: library.MAX_NAME_LENGTH].lstrip(" .").rstrip()


def _split_choices(
    columns: Sequence[DeltaGenerator], key: str
) -> tuple[float, float, int]:
    """The shares of val and test, and the seed."""
    val, test, seed = columns
    with val:
        val_share = _share(
            "Share for val",
            0.2,
            "Validation: training does not see these images; they tell how good it is.",
            f"val-{key}",
        )
    with test:
        test_share = _share(
            "Share for test",
            0.0,
            "Put by for one last look once all choices are made.",
            f"test-{key}",
        )
    number = seed.number_input(
        "Seed of the split",
        min_value=0,
        value=0,
        help="The same seed splits the same images the same way.",
        key=f"seed-{key}",
    )
    return val_share, test_share, int(number)


def _share(label: str, value: float, says: str, key: str) -> float:
    says += " Train, val and test folders that you bring are used as they are."
    share = st.slider(label, 0.0, 0.5, value, 0.05, "percent", key=key, help=says)
    return float(share)


def _import(
    source: Path, name: str, val: float, test: float, seed: int, reading: Reading
) -> Revision | None:
    """The new dataset; what is wrong is said and nothing is kept."""
    bar = st.progress(0.0, "Reading …")

    def progress(done: int, of: int) -> None:
        if done % 25 == 0 or done == of:
            bar.progress(done / max(of, 1), f"Checked {done:,} of {of:,} images")

    try:
        return importer.import_path(
            source,
            name,
            val=val,
            test=test,
            seed=seed,
            reading=reading,
            progress=progress,
        )
    except TransferError as error:
        bar.empty()
        understood.forget(source)
        shell.show_error(error)
        return None
