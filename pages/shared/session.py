"""What all sessions of the server share: the store and the inference process."""

import streamlit as st

from transfer.prediction.client import InferenceProcess
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


def who() -> str:
    """Who looks at the page; empty where nobody signs in."""
    return str(st.user.get("email") or st.user.get("name") or "")
