"""How much of what they may have somebody has, told before it hurts."""

import streamlit as st
from starlette.requests import Request

from pages.shared import session, shell
from pages.shared.visits import Visit
from transfer.people import limits, usage
from transfer.people.limits import NO_LIMITS
from transfer.people.usage import Usage
from transfer.runs.shared_reads import OnceAWhile
from transfer.store.people import Person

#: Part of a limit from which on it is said more loudly, and seconds for which what
#: somebody has is taken to be the same: it is asked for with every batch of an upload.
_NEARLY, _FRESH = 0.9, 3.0


def show(*which: str) -> None:
    """What who looks at the page has of what they may; nothing without limits.

    Args:
        which: By the names of `limits.Limits`.
    """
    person = session.actor()
    most = limits.of(person)
    if most is NO_LIMITS:
        return
    has = _once_a_while(person.id).get(lambda: _usage(person))
    if figures := limits.figures(most, has, *which):
        text = shell.escape(f"You use {', '.join(figures)}.")
        says = [one for one in which if limits.part(most, has, one) >= _NEARLY]
        if says:
            mend = shell.escape(limits.WORDS[says[0]].mend)
            st.warning(f"{text} {mend}", icon=":material/data_usage:")
        else:
            st.caption(text, width="content")


def check_upload(visit: Visit, request: Request) -> None:
    """Returns quietly where somebody may bring what they are about to.

    Raises:
        LimitError: They may not.
    """
    if not visit.who:
        return
    length = request.headers.get("content-length", "")
    size = int(length) if length.isdecimal() else 0
    person = session.whole_store().people.get(visit.who)
    most = limits.of(person)
    if most is not NO_LIMITS:
        has = _once_a_while(person.id).get(lambda: _usage(person))
        limits.check(most, has, disk=size, images=0)


def _usage(person: Person) -> Usage:
    return usage.of(session.whole_store(), person.id)


@st.cache_resource(ttl=600, max_entries=500, show_spinner=False)
def _once_a_while(person_id: str) -> OnceAWhile[Usage]:  # noqa: ARG001  the key
    return OnceAWhile(_FRESH)
