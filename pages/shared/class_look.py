"""The class as an instructor sees it: read once for all pages that show it."""

import streamlit as st

from pages.shared import session
from transfer.classroom import attendance
from transfer.classroom.attendance import Attendee
from transfer.runs.shared_reads import OnceAWhile

#: Seconds between two looks at the class.
LOOK = 5.0


def attendees() -> list[Attendee]:
    """All of the class.

    Raises:
        NotAllowedError: Who looks is no instructor.
    """
    store = session.store()
    store.scope.check_server("class")  # what is read already is for nobody else either
    found: list[Attendee] = _once_a_while().get(lambda: attendance.attendees(store))
    return found


# A page, a projector and a second tab look at the same class.
@st.cache_resource(show_spinner=False)
def _once_a_while() -> OnceAWhile[list[Attendee]]:
    return OnceAWhile(LOOK / 2)
