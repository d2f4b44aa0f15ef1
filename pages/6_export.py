"""Export: take a finished run away, as files that prove themselves, or as code."""

from pathlib import Path

import streamlit as st

from pages.export import downloads
from pages.shared import job_progress, run_choice, session, shell
from transfer.errors import TransferError
from transfer.export import orders
from transfer.store.record import Run

PAGES = Path(__file__).parent


def show_export(run: Run) -> None:
    """Format, start, progress and what came of it."""
    chosen, quantize = downloads.choose(run)
    request = orders.request(run, chosen.name, quantize)
    job = job_progress.find(request)
    made = downloads.certificate(job)
    # While it goes on the button would only ask for the same.
    if not job_progress.goes_on(job) and st.button(
        "Export again" if made else "Export",
        icon=":material/ios_share:",
        type="secondary" if made else "primary",
        key="export",
    ):
        job_progress.ask(request)
    cancelled = "Cancelled; nothing of it is kept."
    job_progress.show(job, downloads.line, cancelled=cancelled)
    if made and job:
        downloads.show_done(request.subject, made)
        downloads.offer_delete(job)


shell.begin_page("Export", "Take a model away: it works without this app.")
with_model = session.store().summaries(with_model=True)
if not with_model:
    run_choice.show_none(
        "Once a run has ended, take it away from here: as a file for phones and "
        "servers, or as code.",
        ":material/ios_share:",
    )
else:
    opened = run_choice.choose(with_model)
    show_export(opened)
    st.page_link(
        PAGES / "9_programs.py",
        label="Or let it stay here, and ask it from a program",
        icon=":material/api:",
        query_params={"run": opened.id},
    )
    # Behind a switch: the layers of a backbone may have to be looked up for it.
    if st.toggle("Show me the code", key="code"):
        try:
            downloads.show_code(opened)
        except TransferError as error:
            shell.show_error(error)
