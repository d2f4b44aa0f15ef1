"""More images into a dataset, and the dataset as a zip to take away."""

import time
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared import (
    addresses,
    job_progress,
    session,
    shell,
    tables,
    uploader,
)
from pages.shared.words import spoken
from transfer import workspace
from transfer.datasets import archive, names
from transfer.datasets.archive import Form
from transfer.datasets.ingest import allowed_folders, uploads
from transfer.datasets.ingest.frames import Piece
from transfer.datasets.revision import Kind, Revision
from transfer.errors import TransferError
from transfer.runs import queue, requests
from transfer.store.record import Job
from transfer.store.status import JobStatus

_BY_FOLDER = "As folders or a file of labels say"
_SAYS = "Pictures, a folder of them, a zip, or the camera, into this dataset."
_FORMS: dict[Form, str] = {
    "folders": "A folder for each split, with class folders inside",
    "csv": "All {images} in one folder, and a table of class and split",
}


def show_adding(revision: Revision) -> None:
    """The way of more images into a dataset, how far it is, and what came of it.

    Args:
        revision: Its newest.
    """
    dataset = revision.dataset
    job = session.store().find("add", dataset)
    fold = st.expander(
        f"Add {spoken().images}",
        icon=":material/add_circle:"
        if revision.kind == "sounds"
        else ":material/add_photo_alternate:",
        expanded=job_progress.stays_open(f"add-{dataset}", job),
    )
    with fold:
        job_progress.show(job, _line("checked"), "Cancelled; nothing of it is kept.")
        if job and job.status is JobStatus.COMPLETED:
            uploader.let_go("more")
            _show_result(job)
        elif job and job.status.is_final:
            uploader.take_back("more")
        _ask(dataset, revision.class_names, revision.kind)


def _ask(dataset: str, class_names: tuple[str, ...], kind: Kind) -> None:
    if kind == "sounds":
        key = f"recorded-{dataset}-{st.session_state.get('recordings', 0)}"
        recorded = st.audio_input("Record into the class", key=key)
        says = f"{spoken().pictures.capitalize()}, a folder of them, or a zip."
        arrival = uploader.folder_upload("more", says, kind=kind)
    else:
        recorded = None
        arrival = uploader.folder_upload("more", _SAYS, camera=True)
    path = ""
    if session.may("folders"):
        path = st.text_input(
            f"Or the path of a folder, zip or {spoken().picture} on the server"
        )
    into = st.selectbox(
        "Their class",
        class_names,
        index=None,
        accept_new_options=True,
        placeholder=_BY_FOLDER,
        key=f"add-class-{dataset}",
        help="New ones of a class go to train, so that val and test stay what they "
        "are. Those of a new class are split as the dataset was.",
    )
    if not st.button("Add them", type="primary"):
        return
    class_name = into or ""
    try:
        if class_name and class_name not in class_names:
            names.check_class_name(class_name)
        if path:
            source, upload = allowed_folders.resolve(path), ""
        elif recorded:
            source, upload = _keep(recorded.getvalue())
        elif arrival and arrival.source:
            source, upload = arrival.source, arrival.upload
        else:
            st.warning(
                f"Bring some {spoken().images} first, and wait until they have arrived."
            )
            return
        request = requests.add(source, dataset, class_name, session.who(), upload)
        queue.ask(session.store(), request)
    except TransferError as error:
        shell.show_error(error)
        return
    if recorded and not path:  # the next look begins without it
        st.session_state["recordings"] = st.session_state.get("recordings", 0) + 1
    elif upload:
        uploader.hand_over("more")
    st.rerun()


def _keep(recording: bytes) -> tuple[Path, str]:
    """Where a job finds what was recorded, and the upload to let go afterwards."""
    upload = uploads.start(session.actor().id)
    # By the second, so that a second recording has another name.
    name = f"recorded {time.strftime('%Y-%m-%d %H.%M.%S')}.wav"
    size = len(recording)
    piece = Piece(path=name, offset=0, total=size, content=recording)
    uploads.store(upload, [piece])
    return uploads.source(upload), upload


def _show_result(job: Job) -> None:
    st.success(shell.escape(job.result["says"]), icon=":material/check:")
    for note in job.result["notes"]:
        st.caption(shell.escape(note))
    if left := job.result["passed_over"]:
        st.caption("Not taken in:")
        tables.show(left, hide_index=True)


def show_export(revision: Revision) -> None:
    """A button that has the zip made, how far it is, and then the link to it."""
    with st.expander("Take it away", icon=":material/download:"):
        form = st.selectbox(
            "As", _FORMS, format_func=lambda one: spoken().fill(_FORMS[one])
        )
        path = archive.path_of(revision, form)
        request = requests.export_dataset(revision.dataset, revision.id, form, path)
        job = job_progress.find(request)
        if not path.exists() and not job_progress.goes_on(job):
            if st.button("Make the zip", type="primary"):
                job_progress.ask(request)
        job_progress.show(job, _line("packed"), "Cancelled.")
        if path.exists() and not job_progress.goes_on(job):
            size = workspace.amount(path.stat().st_size)
            address = addresses.dataset(revision.dataset, archive.key(revision, form))
            st.link_button(f"Download {size}", address, type="primary")


def _line(did: str) -> job_progress.Line:
    def line(now: dict[str, Any]) -> tuple[float, str]:
        done, of = now.get("done", 0), now.get("of", 0)
        return done / max(
            of, 1
        ), f"{did.capitalize()} {done:,} of {of:,} {spoken().images}"

    return line
