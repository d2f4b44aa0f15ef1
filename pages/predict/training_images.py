"""The look at a run's training images, after which it tells the nearest ones."""

from dataclasses import replace

import streamlit as st

from pages.predict.card import View
from pages.shared import job_progress, session, shell
from transfer.errors import TransferError
from transfer.runs import requests
from transfer.store.record import Run


def with_neighbours(view: View) -> View:
    """The view, with the nearest images of the runs that know theirs already.

    The others begin to look; how far they are is shown here, once for all pictures.
    """
    wanted = [run for run in view.runs if run.id in view.nearest]
    return replace(view, nearest=frozenset(run.id for run in wanted if _knows(run)))


def _knows(run: Run) -> bool:
    seen: set[str] = st.session_state.setdefault("training-images-known", set())
    try:
        if run.model_id in seen or session.inference().knows_training_images(run.id):
            seen.add(run.model_id)
            return True
    except TransferError as error:
        st.caption(shell.escape(str(error)))
        return False
    request = requests.neighbours(run.id)
    job = job_progress.find(request)
    if job is None:  # once: what was cancelled or failed does not begin by itself
        job_progress.ask(request)
    job_progress.show(
        job,
        job_progress.count_line("training {images} looked at"),
        "Cancelled, so the nearest ones are not shown.",
    )
    return False
