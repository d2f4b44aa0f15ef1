"""More images into a dataset, and the dataset as a zip to take away."""

from functools import partial
from typing import Any

import streamlit as st

from pages.data import folds, recording
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
from transfer.datasets.ingest import allowed_folders
from transfer.datasets.revision import Revision
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
        _ask(revision)


def _ask(revision: Revision) -> None:
    dataset, recorded, window = revision.dataset, b"", None
    if revision.sound:
        into = _ask_class(revision)
        recorded, window = recording.ask(dataset, revision.sound.seconds, into)
        says = f"{spoken().pictures.capitalize()}, a folder of them, or a zip."
        arrival = uploader.folder_upload("more", says, kind="sounds")
    else:
        arrival = uploader.folder_upload("more", _SAYS, camera=True)
    path = ""
    if session.may("folders"):
        path = st.text_input(
            f"Or the path of a folder, zip or {spoken().picture} on the server"
        )
    if not revision.sound:
        into = _ask_class(revision)
    if not st.button("Add them", type="primary") and not recorded:
        return
    try:
        if into and into not in revision.class_names:
            names.check_class_name(into)
        if recorded:
            source, upload = recording.keep(recorded)
        elif path:
            source, upload = allowed_folders.resolve(path), ""
        elif arrival and arrival.source:
            source, upload = arrival.source, arrival.upload
        else:
            st.warning(
                f"Bring some {spoken().images} first, and wait until they have arrived."
            )
            return
        request = requests.add(source, dataset, into, session.who(), upload, window)
        queue.ask(session.store(), request)
    except TransferError as error:
        shell.show_error(error)
        return
    if recorded:
        recording.begin_anew()
    elif upload:
        uploader.hand_over("more")
    st.rerun()


def _ask_class(revision: Revision) -> str:
    """The class of all that is added; empty where folders or a file say it."""
    into = st.selectbox(
        "Their class",
        revision.class_names,
        index=None,
        accept_new_options=True,
        placeholder=_BY_FOLDER,
        key=f"add-class-{revision.dataset}",
        help="New ones of a class go to train, so that val and test stay what they "
        "are. Those of a new class are split as the dataset was.",
    )
    return into or ""


def _show_result(job: Job) -> None:
    st.success(shell.escape(job.result["says"]), icon=":material/check:")
    for note in job.result["notes"]:
        st.caption(shell.escape(note))
    if left := job.result["passed_over"]:
        st.caption("Not taken in:")
        tables.show(left, hide_index=True)


def show_export(revision: Revision) -> None:
    """A button that has the zip made, how far it is, and then the link to it."""
    folds.show(
        "Take it away",
        partial(_export, revision),
        key=f"take-away-{revision.dataset}",
        icon=":material/download:",
    )


def _export(revision: Revision) -> None:
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
