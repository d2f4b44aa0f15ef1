"""What is in the trash: restored, or removed at once."""

import time

import streamlit as st

from pages.shared import amounts, session, shell
from transfer import workspace
from transfer.datasets import library
from transfer.errors import NameTakenError, TransferError
from transfer.store.trash import DATASET, Trashed
from transfer.upkeep import trash

#: Things that are shown at a time.
_SHOWN = 50
_ICONS = {"dataset": "photo_library", "run": "model_training", "export": "ios_share"}


def show() -> None:
    """All that whoever looks may restore."""
    st.header("Trash", anchor=False)
    found = session.store().trash.all()
    st.caption(
        f"What is deleted stays here for {amounts.days(trash.days())}, then it goes "
        "and its room is free."
    )
    if not found:
        st.info("The trash is empty.", icon=":material/delete:")
        return
    for one in found[:_SHOWN]:
        _show_one(one)
    if len(found) > _SHOWN:
        st.caption(f"{len(found) - _SHOWN:,} more were deleted before these.")
    if st.button("Empty the trash", icon=":material/delete_forever:"):
        _confirm(found)


def _show_one(one: Trashed) -> None:
    left = one.deleted_at / 86_400 + trash.days() - time.time() / 86_400
    facts = [
        one.kind.capitalize(),
        session.owner_in_words(one),
        f"deleted {amounts.ago(time.time() - one.deleted_at)}",
        f"goes in {amounts.days(max(round(left), 1))}",
        workspace.amount(trash.size(one)),
        *([one.thing] if one.kind != DATASET else []),
    ]
    with st.container(
        horizontal=True, vertical_alignment="center", key=f"trash-{one.id}"
    ):
        with st.container(gap=None):
            icon = f":material/{_ICONS[one.kind]}:"
            st.markdown(f"{icon} **{shell.escape(one.title)}**")
            st.caption(shell.escape(" · ".join(fact for fact in facts if fact)))
        if st.button("Restore", key=f"restore-{one.id}", icon=":material/undo:"):
            _restore(one)
        if st.button("Delete now", key=f"remove-{one.id}", type="tertiary"):
            _confirm([one])


def _restore(one: Trashed, name: str = "") -> None:
    try:
        trash.restore(session.store(), one.id, name)
    except NameTakenError as error:
        if one.kind == DATASET and not name:
            _ask_name(one)
            return
        shell.show_error(error)
    except TransferError as error:
        shell.show_error(error)
    else:
        st.toast(f"{shell.escape(one.title)} is back.", icon=":material/check:")
        st.rerun()


@st.dialog("Another name")
def _ask_name(one: Trashed) -> None:
    """Asks what a dataset is to be called whose name was given again."""
    st.write(f"There is another dataset called “{shell.escape(one.title)}” now.")
    name = st.text_input(
        "Name of the restored one",
        placeholder=f"{one.title} 2",
        max_chars=library.MAX_NAME_LENGTH,
    )
    if st.button("Restore", type="primary", key="restore-named"):
        _restore(one, name.strip() or f"{one.title} 2")


@st.dialog("Remove for good?")
def _confirm(going: list[Trashed]) -> None:
    """Asks once more, for there is no way back."""
    size = workspace.amount(sum(trash.size(one) for one in going))
    names = ", ".join(f"**{shell.escape(one.title)}**" for one in going[:10])
    more = f" and {len(going) - 10:,} more" if len(going) > 10 else ""
    st.write(
        f"{names}{more} cannot be restored then. That frees {size}, and the room of "
        "files that nothing else uses."
    )
    if st.button("Remove for good", type="primary"):
        try:
            trash.remove_all(session.store(), going)
        except TransferError as error:
            shell.show_error(error)
        else:
            st.rerun()
