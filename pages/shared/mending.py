"""Chosen images: to another class or split, left out, restored; a link to them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from pages.shared import session, shell
from pages.shared.words import spoken
from transfer.datasets import chosen, classes, editing
from transfer.datasets.revision import SPLITS, Kind, Revision
from transfer.errors import TransferError

PAGES = Path(__file__).parents[1]
#: Reasons that are offered; another can be typed.
REASONS: dict[Kind, tuple[str, ...]] = {
    "images": (
        *("Blurred", "Too dark", "A copy of another", "Shows nothing of its class"),
        *("Several classes at once", "Not a photograph"),
    ),
    "sounds": (
        *("Too quiet", "Too noisy", "Overdriven", "A copy of another"),
        *("Nothing of its class is heard", "Several classes at once"),
    ),
}


def link(
    dataset: str,
    hashes: Sequence[str],
    label: str = "See and mend them",
    revision: str = "",
) -> None:
    """A link to the Data page with these images chosen.

    Args:
        dataset: Name of the dataset.
        hashes: SHA-256 of each image, in the order in which they are to be seen.
        label: What the link says.
        revision: Id of the revision in which they are seen; the newest if empty.
    """
    of = {"revision": revision} if revision else {}
    st.page_link(
        PAGES / "1_data.py",
        label=label,
        icon=":material/photo_library:",
        query_params={"dataset": dataset, **of, "chosen": chosen.keep(hashes)},
    )


def show(
    revision: Revision, hashes: Sequence[str], key: str, is_out: bool = False
) -> None:
    """Buttons for what can be done with images; none where no image is chosen.

    Args:
        revision: The newest of their dataset.
        hashes: SHA-256 of each image.
        key: Tells the buttons of one page apart.
        is_out: Whether they are left out.
    """
    count = spoken().so_many(len(hashes))
    dataset = revision.dataset
    with st.container(horizontal=True, vertical_alignment="center"):
        if is_out:
            if st.button(
                f"Restore {count}",
                icon=":material/undo:",
                key=f"restore-{key}",
                disabled=not hashes,
            ):
                by = session.who()
                do(dataset, lambda: editing.restore(dataset, hashes, by))
            return
        _offer_class(revision, hashes, count, key)
        _offer_split(revision, hashes, count, key)
        _offer_leaving_out(revision, hashes, count, key)


def do(dataset: str, change: Callable[[], Revision], says: str = "") -> None:
    """Does it and shows the page anew; what stands against it is said.

    Args:
        dataset: Which is changed.
        change: Makes the newest revision.
        says: What was done; what the revision says if empty.
    """
    try:
        session.store().datasets.check("change", dataset)
        made = change()
    except TransferError as error:
        shell.show_error(error)
        return
    st.toast(shell.escape(says or made.says), icon=":material/check:")
    st.session_state["changed"] = st.session_state.get("changed", 0) + 1
    st.rerun()


def _round() -> int:
    """Of the forms, which are new and closed after each change."""
    return int(st.session_state.get("changed", 0))


def _offer_class(
    revision: Revision, hashes: Sequence[str], count: str, key: str
) -> None:
    key = f"{key}-class-{_round()}"
    with st.popover(
        "Move to a class",
        icon=":material/drive_file_move:",
        disabled=not hashes,
        key=key,
    ):
        name = st.selectbox(
            f"Class of {count}",
            revision.class_names,
            index=None,
            accept_new_options=True,
            placeholder="Choose one, or type a new one",
            key=f"{key}-name",
        )
        go = st.button("Move", type="primary", disabled=not name, key=f"{key}-go")
    if name and go:
        mend = editing.move if name in revision.class_names else classes.split_off
        dataset, by = revision.dataset, session.who()
        do(dataset, lambda: mend(dataset, hashes, str(name), by))


def _offer_split(
    revision: Revision, hashes: Sequence[str], count: str, key: str
) -> None:
    key = f"{key}-split-{_round()}"
    with st.popover(
        "Put into a split", icon=":material/call_split:", disabled=not hashes, key=key
    ):
        split = st.segmented_control(
            f"Split of {count}", SPLITS, default="train", required=True, key=f"{key}-to"
        )
        go = st.button("Put there", type="primary", key=f"{key}-go")
    if go:
        by = session.who()
        dataset = revision.dataset
        do(dataset, lambda: editing.move_to_split(dataset, hashes, split, by))


def _offer_leaving_out(
    revision: Revision, hashes: Sequence[str], count: str, key: str
) -> None:
    key = f"{key}-out-{_round()}"
    with st.popover("Leave out", icon=":material/block:", disabled=not hashes, key=key):
        reason = st.selectbox(
            f"Why {count}",
            REASONS[revision.kind],
            index=None,
            accept_new_options=True,
            placeholder="Choose a reason, or type one",
            help="They stay in the dataset and can be restored; no run learns from "
            "them, and none is judged by them.",
            key=f"{key}-why",
        )
        go = st.button("Do so", type="primary", disabled=not reason, key=f"{key}-go")
    if reason and go:
        by = session.who()
        dataset = revision.dataset
        do(dataset, lambda: editing.leave_out(dataset, hashes, str(reason), by))
