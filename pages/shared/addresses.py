"""Addresses of the server's own routes, below the base path that it is served at."""

import struct

import streamlit as st
from plotly.offline import get_plotlyjs_version

from transfer.datasets.decoding import Grey
from transfer.people import links

#: Both values of a range of deep grey.
_RANGE = struct.Struct(">dd")


def route(purpose: str) -> str:
    """The route's pattern; Streamlit does not put the base path before ours."""
    return f"{base()}/api/{purpose}/{{token}}"


def plain_route(name: str) -> str:
    """The pattern of a route whose address needs no token."""
    return f"{base()}/api/{name}"


def upload(upload_id: str) -> str:
    """Where a browser may send the files of this upload for a day or two."""
    return f"{base()}/api/upload/{links.sign('upload', upload_id)}"


def thumbnail(sha256: str, grey: Grey | None = None) -> str:
    """Where a browser gets a small version of this image, in its dataset's greys."""
    # Part of what is signed: else anybody could have pictures made at any range, each
    # kept on disk.
    value = f"{sha256}-{_RANGE.pack(*grey).hex()}" if grey else sha256
    return f"{base()}/api/image/{links.sign('image', value)}"


def read_thumbnail(token: str) -> tuple[str, Grey | None]:
    """The hash and the range of deep grey that `thumbnail` put into an address.

    Raises:
        UploadError: The token is not one of ours or is too old.
    """
    sha256, _, packed = links.verify("image", token).partition("-")
    if not packed:
        return sha256, None
    black, white = _RANGE.unpack(bytes.fromhex(packed))
    return sha256, (black, white)


def gallery(view: str) -> str:
    """Where a browser gets the images of a view, some at a time.

    Args:
        view: `View.to_token` of it.
    """
    return f"{base()}/api/gallery/{links.sign('gallery', view)}"


def read_gallery(token: str) -> str:
    """The view that `gallery` put into an address.

    Raises:
        UploadError: The token is not one of ours or is too old.
    """
    return links.verify("gallery", token)


def export(key: str) -> str:
    """Where a browser gets the zip of this export for a day or two."""
    return f"{base()}/api/export/{links.sign('export', key)}"


def dataset(key: str) -> str:
    """Where a browser gets the zip of this dataset for a day or two."""
    return f"{base()}/api/dataset/{links.sign('dataset', key)}"


def live(run_id: str) -> str:
    """Where a browser gets what is new of this run for a day or two."""
    return f"{base()}/api/live/{links.sign('live', run_id)}"


def enter(ticket: str) -> str:
    """Where a browser changes this ticket for its session.

    Args:
        ticket: Of `sessions.begin`.
    """
    return f"{base()}/api/enter/{ticket}"


def plotly() -> str:
    """Where a browser gets Plotly's library; another address for another version."""
    return f"{base()}/api/plotly/{get_plotlyjs_version()}"


def base() -> str:
    """The path that the server is served at; empty or beginning with a slash."""
    # Read at each call: it is set by the command line after this module was imported.
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""
