"""Whose a dataset or run is, and what its owner lets everybody else do with it."""

from collections.abc import Callable

import streamlit as st

from pages.shared import session, shell
from pages.shared.words import spoken
from transfer.errors import TransferError
from transfer.people import auth
from transfer.people.auth import Mode
from transfer.people.rule import Sharing
from transfer.store.record import Run
from transfer.store.scope import Thing

_SAYS = {
    Sharing.PRIVATE: "Only me",
    Sharing.READ: "All may look and use it",
    Sharing.ALL: "All may change it too",
}


def show_dataset(name: str) -> None:
    """Of a dataset; nothing where nobody signs in."""
    if auth.mode() is not Mode.OPEN:
        store = session.store()
        thing = session.whole_store().datasets.get(name)
        _show(f"dataset {name}", thing, lambda to: store.datasets.share(name, to))


def show_run(run: Run) -> None:
    """Of a run; nothing where nobody signs in."""
    if auth.mode() is not Mode.OPEN:
        store = session.store()
        _show(f"run {run.id}", run, lambda to: store.share(run.id, to))


def _show(called: str, thing: Thing, share: Callable[[str], None]) -> None:
    now = Sharing(thing.sharing)
    if now is Sharing.HIDDEN:
        st.badge("Hidden test set", icon=":material/visibility_off:", color="gray")
        return
    if not session.may("share", thing):
        st.badge(_owner(thing), color="gray")
        return
    with st.popover("Share", icon=":material/group:", key=f"share-{called}"):
        st.caption(
            f"{_owner(thing)}. A run is shared with the {spoken().pictures} that it "
            "learnt from and was judged on. Only owners and administrators delete."
        )
        wanted = st.radio(
            "Who may",
            [*_SAYS],
            [*_SAYS].index(now),
            format_func=_SAYS.__getitem__,
            key=f"sharing-{called}",
        )
    if wanted is not now:
        try:
            share(wanted)
        except TransferError as error:
            shell.show_error(error)
        else:
            st.rerun()


def _owner(thing: Thing) -> str:
    """Whose it is, in Markdown."""
    if thing.owner == session.actor().id:
        return "Yours"
    return f"Of {shell.escape(session.name_of(thing.owner))}"
