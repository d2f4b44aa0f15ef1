"""Our own uploader: a folder or a zip streams to the server's disk in batches.

Streamlit's own loses files beyond a thousand and keeps every byte in memory.
"""

from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared import addresses
from transfer import uploads
from transfer.datasets.images import IMAGE_EXTENSIONS

_HTML = """
<div class="drop" id="drop">
  <p><strong>Drop a folder or a zip here</strong>, or choose one:</p>
  <div class="choose">
    <label class="button">Choose a folder<input id="folder" type="file" webkitdirectory
      multiple aria-label="Choose a folder of class folders"></label>
    <label class="button">Choose a zip<input id="zip" type="file" accept=".zip"
      aria-label="Choose a zip of class folders"></label>
    <button id="cancel" class="button" hidden>Cancel</button>
  </div>
  <progress id="bar" value="0" max="1" aria-label="Upload progress" hidden></progress>
  <p id="status" role="status" aria-live="polite"></p>
  <ul id="failed"></ul>
</div>
"""


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    folder = Path(__file__).parent
    return st.components.v2.component(
        "folder_upload",
        html=_HTML,
        css=(folder / "uploader.css").read_text(),
        js=(folder / "uploader.js").read_text(),
    )


def folder_upload() -> Path | None:
    """The uploaded folder or zip once it is wholly on disk; `None` before."""
    if "upload" not in st.session_state:
        st.session_state["upload"] = uploads.start()
    _component()(
        key="folder_upload",
        data={
            "url": addresses.upload(st.session_state["upload"]),
            "extensions": sorted(IMAGE_EXTENSIONS),
            "piece": uploads.MAX_PIECE // 2,
        },
        on_done_change=_finished,
        on_begun_change=_begun,
    )
    return st.session_state.get("uploaded")


def _begun() -> None:
    """What an earlier upload brought is replaced, so it can no longer be imported."""
    for key in ("uploaded", "upload_report"):
        st.session_state.pop(key, None)


def _finished() -> None:
    done = st.session_state["folder_upload"].done
    upload = st.session_state["upload"]
    arrived = uploads.received(upload).files
    st.session_state["upload_report"] = {**dict(done), "arrived": arrived}
    st.session_state["uploaded"] = uploads.source(upload) if arrived else None


def forget() -> None:
    """Removes what was uploaded and makes room for the next upload."""
    if upload := st.session_state.pop("upload", None):
        uploads.discard(upload)
    _begun()
