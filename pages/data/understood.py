"""What was understood of a folder or zip, before its import, to be changed there."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import streamlit as st

from pages.shared import shell, tables
from pages.shared.words import spoken
from transfer.datasets import names, wording
from transfer.datasets.ingest.code_pages import CODE_PAGES
from transfer.datasets.ingest.layouts import LAYOUTS, LEFT_OUT, ROLES, Layout, Reading
from transfer.datasets.ingest.preview import Preview, preview
from transfer.datasets.revision import SPLITS, Kind, Split
from transfer.errors import TransferError

_LAYOUTS: dict[Layout, str] = {
    "classes": "Each folder is a class",
    "splits": "Folders are splits, with classes inside",
    "class-first": "Each folder is a class, with splits inside",
    "labels": "A file of labels says the class of each {picture}",
}
#: Folders whose split can be changed; nobody brings more.
_MOST = 12


def show(
    source: Path, key: str, kind: Kind = "images"
) -> tuple[Reading, Preview | None]:
    """How the source is read, with what can be changed about it.

    Args:
        source: The folder or zip.
        key: Tells the forms of one page apart.
        kind: What is looked for.

    Returns:
        How to read it, and what comes of that; None where it is refused, which is said.
    """
    key = f"{key}-{source}" if kind == "images" else f"{key}-{kind}-{source}"
    # First as it would be read unasked: that is what the choices begin with.
    found = _preview(source, Reading(), kind)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        reading = Reading(
            layout=_ask_layout(found, key), code_page=_ask_code_page(found, key)
        )
        found = _preview(source, reading, kind)
        if isinstance(found, Preview):
            reading = replace(reading, splits=_ask_splits(found.splits, key))
            found = _preview(source, reading, kind)
    if isinstance(found, TransferError):
        shell.show_error(found)
        return reading, None
    st.info(_summary(found, kind), icon=":material/folder_open:")
    return reading, found


def _summary(found: Preview, kind: Kind) -> str:
    """What would come in, in Markdown."""
    several = "class" if len(found.counts) == 1 else "classes"
    text = (
        f"**{found.pictures:,} {wording.WORDS[kind].pictures} in "
        f"{len(found.counts):,} {several}**: "
        f"{shell.escape(names.in_words(found.counts, 8))}."
    )
    if found.left:
        text += f" {found.left:,} passed over, named below."
    return text + "".join(f"  \n{shell.escape(note)}" for note in found.notes)


def show_counts(found: Preview, kind: Kind = "images") -> None:
    """Pictures by class and split, and what is passed over."""
    given = [
        split for split in SPLITS if any(one[split] for one in found.counts.values())
    ]
    columns: dict[str, Split | None] = {split: split for split in given}
    if any(one[None] for one in found.counts.values()):
        columns[wording.WORDS[kind].pictures] = None
    rows = [
        {"class": name, **{title: one[split] for title, split in columns.items()}}
        for name, one in found.counts.items()
    ]
    with st.expander(f"{wording.WORDS[kind].pictures.capitalize()} by class"):
        tables.show(rows, hide_index=True, height="content")
    if found.left:
        shown = len(found.passed_over)
        some = f", the first {shown:,}" if shown < found.left else ""
        with st.expander(f"{found.left:,} passed over{some}"):
            tables.show(found.passed_over, hide_index=True)


def forget(source: Path) -> None:
    """Looks anew at the source the next time that it is shown."""
    st.session_state.pop(f"understood-{source}", None)


def _preview(source: Path, reading: Reading, kind: Kind) -> Preview | TransferError:
    """The preview, kept for the reruns of the page; or why there is none."""
    kept = st.session_state.setdefault(f"understood-{source}", {})
    # The same folder may have got more pictures meanwhile.
    changed = source.stat().st_mtime_ns if source.exists() else 0
    asked = (
        changed,
        kind,
        reading.layout,
        reading.code_page,
        *sorted(reading.splits.items()),
    )
    if asked not in kept:
        with st.spinner("Looking at the names …"):
            try:
                kept[asked] = preview(source, reading, kind)
            except TransferError as error:
                # Kept as well: what cannot be read would be looked through at each
                # rerun.
                kept[asked] = error
    found: Preview | TransferError = kept[asked]
    return found


def _ask_layout(found: Preview | TransferError, key: str) -> Layout | None:
    """The layout that was chosen; None for the one that was understood."""
    understood = found.layout if isinstance(found, Preview) else None
    chosen = st.selectbox(
        "Understood as",
        LAYOUTS,
        LAYOUTS.index(understood) if understood else None,
        format_func=lambda one: spoken().fill(_LAYOUTS[one]),
        placeholder="Not understood; choose what it is",
        key=f"layout-{key}",
        width=360,
    )
    return None if chosen == understood else chosen


def _ask_code_page(found: Preview | TransferError, key: str) -> str:
    """The code page of the names; empty for the one that was guessed."""
    # Only a zip of an old program leaves it open.
    guessed = found.code_page if isinstance(found, Preview) else ""
    if not guessed:
        return ""
    pages = [*CODE_PAGES]
    chosen = st.selectbox(
        "Names are written in",
        pages,
        pages.index(guessed),
        format_func=lambda one: CODE_PAGES[one],
        help="The zip does not say it. Choose another one if the classes' names are "
        "not what they should be.",
        key=f"code-page-{key}",
        width=300,
    )
    return "" if chosen == guessed else str(chosen)


def _ask_splits(understood: Mapping[str, Split | None], key: str) -> dict[str, str]:
    """What folders are said to be other than what was understood."""
    said = {}
    # A folder with hundreds below it is none of splits; a chooser for each would be the
    # page.
    for folder, role in [*understood.items()][:_MOST]:
        chosen = st.selectbox(
            f"{shell.escape(folder)} is",
            ROLES,
            ROLES.index(role or LEFT_OUT),
            key=f"split-{key}-{folder}",
            width=150,
        )
        if chosen != (role or LEFT_OUT):
            said[folder] = str(chosen)
    return said
