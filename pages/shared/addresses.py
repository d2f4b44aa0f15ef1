"""Addresses of the server's own routes, below the base path that it is served at."""

import streamlit as st
from plotly.offline import get_plotlyjs_version

from transfer import tokens


def route(purpose: str) -> str:
    """The route's pattern; Streamlit does not put the base path before ours."""
    return f"{_base()}/api/{purpose}/{{token}}"


def upload(upload_id: str) -> str:
    """Where a browser may send the files of this upload for a day or two."""
    return f"{_base()}/api/upload/{tokens.sign('upload', upload_id)}"


def thumbnail(sha256: str) -> str:
    """Where a browser gets a small version of this image."""
    return f"{_base()}/api/image/{tokens.sign('image', sha256)}"


def export(key: str) -> str:
    """Where a browser gets the zip of this export for a day or two."""
    return f"{_base()}/api/export/{tokens.sign('export', key)}"


def live(run_id: str) -> str:
    """Where a browser gets what is new of this run for a day or two."""
    return f"{_base()}/api/live/{tokens.sign('live', run_id)}"


def plotly() -> str:
    """Where a browser gets Plotly's library; another address for another version."""
    return f"{_base()}/api/plotly/{get_plotlyjs_version()}"


def _base() -> str:
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""
