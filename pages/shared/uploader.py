"""Our uploader: a folder or a zip goes to disk in batches, and every file counts.

`uploader.js` sends to the route of app.py; what lies on the server's disk afterwards
is the truth about what arrived.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared import addresses
from transfer import uploads
from transfer.datasets.images import IMAGE_EXTENSIONS

_HERE = Path(__file__).resolve().parent
_component = st.components.v2.component(
    "transfer_uploader",
    html=(_HERE / "uploader.html").read_text(encoding="utf-8"),
    css=(_HERE / "uploader.css").read_text(encoding="utf-8"),
    js=(_HERE / "uploader.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A finished upload.

    Attributes:
        id: Of the upload's folder.
        name: Of the folder or zip that was chosen.
        sent: Files that the browser meant to send.
        arrived: Files that lie on the server's disk.
        bytes: Bytes of those.
        passed_over: Number of files that are no pictures and were not sent.
        failed: `path` and `reason` of the first files that did not arrive.
    """

    id: str
    name: str
    sent: int
    arrived: int
    bytes: int
    passed_over: int
    failed: list[dict[str, str]]


def choose() -> Upload | None:
    """The uploader on the page; the upload once it is done, else None."""
    if "upload_id" not in st.session_state:
        st.session_state.upload_id = uploads.start()
    upload_id = st.session_state.upload_id
    _component(
        key="uploader",
        data={
            "url": addresses.upload(upload_id),
            "extensions": sorted(IMAGE_EXTENSIONS),
            "pieceBytes": uploads.MAX_PIECE // 2,
            "maxPicture": uploads.MAX_PICTURE,
            "maxZip": uploads.MAX_ZIP,
        },
        on_done_change=_keep_outcome,
        on_begun_change=_forget_outcome,
    )
    outcome = st.session_state.get("upload_outcome")
    return _upload(upload_id, outcome) if outcome else None


def forget() -> None:
    """Removes the upload's files; the uploader is empty again."""
    uploads.discard(st.session_state.pop("upload_id", uploads.start()))
    st.session_state.pop("upload_outcome", None)


def _keep_outcome() -> None:
    st.session_state.upload_outcome = st.session_state.uploader.done


def _forget_outcome() -> None:
    st.session_state.pop("upload_outcome", None)


def _upload(upload_id: str, outcome: dict[str, Any]) -> Upload:
    on_disk = uploads.received(upload_id)
    return Upload(
        id=upload_id,
        name=str(outcome["name"]),
        sent=int(outcome["sent"]),
        arrived=on_disk.files,
        bytes=on_disk.bytes,
        passed_over=int(outcome["passedOver"]),
        failed=list(outcome["failed"]),
    )
