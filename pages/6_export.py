"""Export: take a finished run away, as files that prove themselves, or as code."""

import streamlit as st

from pages.shared import exports, run_choice, session, shell
from transfer.errors import TransferError
from transfer.export import launch
from transfer.runs.record import Run


def show_export(run: Run) -> None:
    """Format, start, progress and what came of it."""
    chosen, quantize = exports.choose(run)
    found = launch.state(run.id, chosen.name, quantize)
    running = found.state == "running"
    if not running and st.button(
        "Export" if found.state == "none" else "Export again",
        icon=":material/ios_share:",
        type="primary" if found.state == "none" else "secondary",
        key="export",
    ):
        try:
            launch.start(run.id, chosen.name, quantize)
        except (TransferError, OSError) as error:
            st.error(shell.escaped(str(error)), icon=":material/error:")
            return
        st.rerun()
    if running:
        st.fragment(run_every=1.0)(show_progress)(run.id, chosen.name, quantize)
    elif found.state == "failed":
        st.error(shell.escaped(found.says), icon=":material/error:")
    elif found.state == "done":
        exports.show_done(found)


def show_progress(run_id: str, name: str, quantize: str) -> None:
    """What the export does now; the page follows when it has ended."""
    found = launch.state(run_id, name, quantize)
    if found.state != "running":
        st.rerun()
    st.info(
        f"Exporting: {shell.escaped(found.says or 'starting')} …\n\nThis takes up to "
        "a few minutes for a large backbone. You may leave the page meanwhile.",
        icon=":material/hourglass_top:",
    )


shell.begin_page("Export", "Take a model away: it works without this app.")
with_model = [run for run in session.store().runs() if run.result.get("class_names")]
if not with_model:
    run_choice.show_none(
        "Once a run has ended, take it away from here: as a file for phones and "
        "servers, or as code.",
        ":material/ios_share:",
    )
else:
    opened = run_choice.choose(with_model)
    show_export(opened)
    if st.toggle("Show me the code", key="code"):
        try:
            exports.show_code(opened)
        except TransferError as error:
            shell.show_error(error)
