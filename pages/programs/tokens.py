"""The tokens of whoever looks at the page API: to see, to make, to revoke."""

import time

import streamlit as st

from pages.shared import session, shell, tables
from transfer.errors import TransferError
from transfer.people import tokens
from transfer.store.tokens import Token


def show() -> None:
    """All of it."""
    person = session.actor()
    found = session.whole_store().tokens.of(person.id)
    if made := st.session_state.get("token-made"):
        st.success("Your new token, shown only now:", icon=":material/key:")
        st.code(made, language=None)
    if found:
        tables.show([_line(one) for one in found], hide_index=True, key="tokens")
    with st.container(horizontal=True):
        _offer_new()
        if found:
            _offer_revoking({one.id: one.name for one in found})


def show_others() -> None:
    """Those of everybody else, for who may end them."""
    found = tokens.of_others(session.whole_store(), session.actor())
    st.header("Tokens of others", anchor=False)
    if not found:
        st.caption("Nobody else has one.")
        return
    lines = [{"Who": person.name, **_line(one)} for person, one in found]
    tables.show(lines, hide_index=True, key="tokens-of-others")
    titles = {one.id: f"{one.name} · {person.name}" for person, one in found}
    _offer_revoking(titles, "Revoke one of them")


def _line(token: Token) -> dict[str, str]:
    return {
        "Name": token.name,
        "May": "start and stop too" if token.may_change else "read",
        "Last used": _day(token.used_at) if token.used_at else "never",
        "Valid until": _day(token.expires_at),
    }


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _offer_new() -> None:
    with (
        st.popover("New token", icon=":material/add:"),
        st.form("new-token", border=False),
    ):
        name = st.text_input("What it is for", max_chars=tokens.LONGEST)
        days = st.selectbox("Days for which it is valid", tokens.DAYS)
        may_change = st.checkbox("It may start and stop too, not only read")
        if st.form_submit_button("Make it", type="primary"):
            try:
                made = tokens.make(
                    *(session.whole_store(), session.actor(), name, days, may_change)
                )
            except TransferError as error:
                shell.show_error(error)
            else:
                st.session_state["token-made"] = made
                st.rerun()


def _offer_revoking(titles: dict[str, str], label: str = "Revoke") -> None:
    with st.popover(label, icon=":material/key_off:"):
        chosen = st.selectbox(
            "Token", list(titles), format_func=titles.__getitem__, key=f"token {label}"
        )
        st.button("Revoke it", on_click=_revoke, args=(chosen,), key=f"it {label}")


def _revoke(token: str) -> None:
    st.session_state.pop("token-made", None)
    tokens.revoke(session.whole_store(), session.actor(), token)
