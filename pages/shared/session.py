"""Who looks at a page; and what all share: the store and the inference process."""

import streamlit as st

from transfer.people import sessions
from transfer.prediction.client import InferenceProcess
from transfer.store.people import Person
from transfer.store.runs import Store


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The runs and their metrics."""
    # One for all: it may be used from any thread, and each has a pool of connections.
    return Store()


@st.cache_resource(show_spinner=False, on_release=InferenceProcess.close)
def inference() -> InferenceProcess:
    """The process in which Keras lives; it starts when it is first asked."""
    # One for all as well: each would hold Keras and its own copy of models.
    return InferenceProcess()


def actor() -> Person:
    """Who looks at the page: the one owner where nobody signs in.

    Raises:
        NotAllowedError: Nobody has signed in.
    """
    return sessions.who(store(), cookie())


def cookie() -> str:
    """What the browser said of its session when the page was opened."""
    return str(st.context.cookies.get(sessions.COOKIE, ""))


def who() -> str:
    """What who looks at the page is called; empty where nobody signs in."""
    return actor().name
