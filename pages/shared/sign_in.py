"""Signing in, in place of any page until it is done, and signing out."""

from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared import addresses, session, shell, words
from transfer.errors import TransferError
from transfer.people import auth, joining, sessions
from transfer.people.auth import Mode
from transfer.people.joining import Joined

#: The cookie is one that no script can read, so a route has to set it. A browser that
#: keeps none would come back here for ever.
_ENTER = """
export default function ({ data, parentElement }) {
  const how = { method: 'POST', headers: { 'X-Transfer-Studio': 'enter' } };
  const send = async () => data.address && fetch(data.address, how);
  if (!data.leaves) {
    send();
    return;
  }
  const last = Number(sessionStorage.getItem('transfer-studio-enters') ?? 0);
  if (Date.now() - last < 5000) {
    parentElement.textContent =
      'Your browser keeps no cookies of this page. Allow them, then reload it.';
    return;
  }
  sessionStorage.setItem('transfer-studio-enters', Date.now());
  send().then(() => location.reload());
}
"""
PAGES = Path(__file__).resolve().parents[1]
_WIDTH = 420
#: In the header, where it takes no room from a page.
_STYLE = """<style>
.st-key-who { position: fixed; top: 0.6rem; right: 1rem; z-index: 999999; width: auto; }
[data-testid="stTopNav"] { margin-right: 7.5rem; }
</style>"""


def is_done() -> bool:
    """Whether whoever looks at the page has signed in, or nobody does here."""
    return sessions.find(session.whole_store(), session.cookie()) is not None


def show() -> None:
    """What it takes to come in."""
    with st.container(horizontal_alignment="center"), st.container(width=_WIDTH):
        shell.begin_page("Transfer Studio", "Fine-tune an image classifier.")
        try:
            _ask_provider() if auth.mode() is Mode.OIDC else _ask_for_code()
        except TransferError as error:
            shell.show_error(error)


def show_who() -> None:
    """Who is signed in, and the way out; nothing where nobody signs in."""
    if auth.mode() is Mode.OPEN:
        return
    person = session.actor()
    st.html(_STYLE)
    called = shell.escape(words.cut(person.name, 12))
    with st.popover(called, icon=":material/person:", width="content", key="who"):
        st.caption(f"{shell.escape(person.name)}, signed in as {person.role}.")
        st.page_link(PAGES / "9_programs.py", label="Tokens", icon=":material/key:")
        if st.button("Sign out", icon=":material/logout:"):
            sessions.end(session.whole_store(), session.cookie())
            if auth.mode() is Mode.OIDC:
                # Its own cookie would sign this person in again at once.
                st.logout()
                st.stop()  # the browser leaves, and nothing is shown to it any more
            st.rerun()


def _ask_for_code() -> None:
    if joined := st.session_state.get("joined"):
        _show_own_code(joined)
        return
    with st.form("join"):
        access = st.text_input("Access code", help="The instructor has it.")
        name = st.text_input("Your name", max_chars=joining.MAX_NAME_LENGTH)
        own = st.text_input(
            "Your own code, if you were here before",
            help="It was shown when you joined. Without it, nobody comes in under "
            "your name.",
        )
        if not st.form_submit_button("Join", type="primary"):
            return
    address = str(st.context.ip_address or "")
    joined = joining.join(session.whole_store(), access, name, own, address)
    if joined.code:
        st.session_state["joined"] = joined
        st.rerun()
    _enter(sessions.begin(session.whole_store(), joined.person))


def _show_own_code(joined: Joined) -> None:
    st.success(f"Welcome, {shell.escape(joined.person.name)}.")
    st.write("Your own code, shown only now:")
    st.code(joined.code, language=None)
    st.caption(
        "Write it down: it is how you come back from another browser, or after you "
        "have signed out. This browser remembers you."
    )
    if st.button("I have written it down", type="primary"):
        del st.session_state["joined"], st.session_state["joined-ticket"]
        st.caption("Coming in …")
        _take_cookie("", leaves=True)  # it has it
        return
    # At once: who reloads here, or loses the connection, is known all the same.
    if "joined-ticket" not in st.session_state:
        ticket = sessions.begin(session.whole_store(), joined.person)
        st.session_state["joined-ticket"] = ticket
    _take_cookie(st.session_state["joined-ticket"], leaves=False)


def _ask_provider() -> None:
    if not st.user.is_logged_in:
        st.write("Sign in with your organisation's account.")
        if st.button("Sign in", type="primary", icon=":material/login:"):
            st.login()
        return
    claims: dict[str, Any] = {**st.user.to_dict()}
    try:
        person = auth.recognise(session.whole_store(), claims)
    except TransferError as error:
        shell.show_error(error)
        st.button("Sign in again", type="primary", on_click=st.logout)
        return
    _enter(sessions.begin(session.whole_store(), person, int(claims["iat"])))


def _enter(ticket: str) -> None:
    """Has the browser take its cookie and come back as who it is."""
    st.caption("Coming in …")
    _take_cookie(ticket, leaves=True)


def _take_cookie(ticket: str, leaves: bool) -> None:
    component = st.components.v2.component("enter", js=_ENTER)
    data = {"address": ticket and addresses.enter(ticket), "leaves": leaves}
    component(key=f"enter-{leaves}", data=data)
