"""What all visitors share: one store and one inference process for a workspace."""

import streamlit as st

from transfer import workspace
from transfer.backbones.structure import Structure
from transfer.inference import InferenceProcess
from transfer.runs.store import Store


def store() -> Store:
    """The store of the workspace."""
    return _store(str(workspace.home()))


def inference() -> InferenceProcess:
    """The inference process of the workspace; it starts when it is first asked."""
    return _inference(str(workspace.home()))


def structure(backbone: str, image_size: int | None) -> Structure:
    """The blocks and cuts of a backbone; the first time takes seconds."""
    return _structure(str(workspace.home()), backbone, image_size)


@st.cache_resource(show_spinner=False, on_release=Store.close)
def _store(home: str) -> Store:
    return Store()


@st.cache_resource(show_spinner=False, on_release=InferenceProcess.close)
def _inference(home: str) -> InferenceProcess:
    return InferenceProcess()


@st.cache_resource(show_spinner=False, max_entries=64)
def _structure(home: str, backbone: str, image_size: int | None) -> Structure:
    return _inference(home).structure(backbone, image_size)
