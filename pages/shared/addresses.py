"""Addresses of the server's own routes, below the base path that it is served at."""

import struct
from typing import NamedTuple

import streamlit as st
from plotly.offline import get_plotlyjs_version

from pages.shared import session
from transfer.datasets import renderings
from transfer.datasets.renderings import Rendering
from transfer.datasets.revision import Revision
from transfer.gallery.view import View
from transfer.people import auth, links, sessions
from transfer.people.auth import Mode
from transfer.store.record import Run

#: A value of a rendering.
_VALUE = struct.Struct(">d")


def route(purpose: str) -> str:
    """The route's pattern; Streamlit does not put the base path before ours."""
    return f"{base()}/api/{purpose}/{{token}}"


def plain_route(name: str) -> str:
    """The pattern of a route whose address needs no token."""
    return f"{base()}/api/{name}"


def upload(upload_id: str) -> str:
    """Where a browser may send the files of this upload for a day or two."""
    return _address("upload", upload_id)


def thumbnail(
    sha256: str,
    of: Run | Revision,
    who: str | None = None,
    rendering: Rendering | None = None,
) -> str:
    """Where a browser gets a small version of this image, as its dataset draws it.

    Args:
        of: The run or revision with which it is seen: who may see that may see it.
        who: As in `_address`.
        rendering: Of its dataset, where `of` does not know it yet.
    """
    rendering = rendering or of.rendering
    # Part of what is signed: else anybody could have pictures made in any way, each
    # kept on disk.
    packed = "-" + b"".join(map(_VALUE.pack, rendering or ())).hex()
    # Nobody else is there to whom it could be refused, and it is the shorter so.
    thing = f"-{links.pack(_thing(of))}" if auth.mode() is not Mode.OPEN else ""
    return _address("image", f"{sha256}{packed}{thing}".rstrip("-"), who)


def sound(sha256: str, of: Run | Revision, who: str | None = None) -> str:
    """Where a browser gets this recording to play it, if it may see `of`.

    Args:
        sha256: The recording.
        of: The run or revision with which it is heard.
        who: As in `_address`.
    """
    thing = f"--{links.pack(_thing(of))}" if auth.mode() is not Mode.OPEN else ""
    return _address("sound", f"{sha256}{thing}", who)


class Picture(NamedTuple):
    """What `thumbnail` put into an address.

    Attributes:
        sha256: The image.
        rendering: The rendering of its dataset.
        thing: `run:ID` or `dataset:NAME` with which it is seen; empty where nobody
            signs in.
    """

    sha256: str
    rendering: Rendering | None
    thing: str


def read_thumbnail(value: str) -> Picture:
    """What `thumbnail` or `sound` put into an address."""
    sha256, packed, thing, *_ = [*value.split("-", 2), "", ""]
    values = [one for (one,) in _VALUE.iter_unpack(bytes.fromhex(packed))]
    return Picture(sha256, renderings.from_plain(values), links.unpack(thing))


def gallery(view: View) -> str:
    """Where a browser gets the images of a view, some at a time."""
    return _address("gallery", view.to_token())


def export(key: str) -> str:
    """Where a browser gets the zip of this export for a day or two."""
    return _address("export", key)


def dataset(name: str, key: str) -> str:
    """Where a browser gets the zip of this dataset for a day or two.

    Args:
        name: Its name.
        key: Of `archive.key`.
    """
    return _address("dataset", f"{key}-{links.pack(name)}")


def live(run_id: str) -> str:
    """Where a browser gets what is new of this run for a day or two."""
    return _address("live", run_id)


def enter(ticket: str) -> str:
    """Where a browser changes this ticket for its session.

    Args:
        ticket: Of `sessions.begin`.
    """
    return f"{base()}/api/enter/{ticket}"


def plotly() -> str:
    """Where a browser gets Plotly's library; another address for another version."""
    return f"{base()}/api/plotly/{get_plotlyjs_version()}"


def _address(purpose: str, value: str, who: str | None = None) -> str:
    """The address that was signed for a purpose.

    Args:
        who: Id of the person for whom; `None` is who looks at the page.
    """
    person = visitor() if who is None else who
    return f"{base()}/api/{purpose}/{links.sign(purpose, value, who=person)}"


def visitor() -> str:
    """Id of who looks at the page; empty where nobody signs in."""
    return "" if auth.mode() is Mode.OPEN else sessions.id_of(session.cookie())


def _thing(of: Run | Revision) -> str:
    return f"run:{of.id}" if isinstance(of, Run) else f"dataset:{of.dataset}"


def base() -> str:
    """The path that the server is served at; empty or beginning with a slash."""
    # Read at each call: it is set by the command line after this module was imported.
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""
