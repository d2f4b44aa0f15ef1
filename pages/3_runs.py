"""Runs: all of them, or one as it goes on and what came of it."""

from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from pages.shared import charts, runs, session, shell
from transfer.errors import TransferError
from transfer.runs import queue
from transfer.runs.record import Run

PAGES = Path(__file__).parent


def show_list() -> None:
    """All runs, newest first; choosing one opens it."""
    found = session.store().runs(limit=500)
    if not found:
        st.info(
            "No run yet. A run trains a classifier on your images: first the new head "
            "on the frozen backbone, then, if you like, some of the backbone too. "
            "You watch it here, and may close the page meanwhile.",
            icon=":material/model_training:",
        )
        st.page_link(
            PAGES / "2_model.py",
            label="Choose a model and start a run",
            icon=":material/arrow_forward:",
        )
        return
    st.caption("Select a run to open it.")
    live = any(not run.status.is_final for run in found)
    st.fragment(run_every=2.0 if live else None)(show_table)()


def show_table() -> None:
    """The table itself; it follows runs that go on."""
    found = session.store().runs(limit=500)
    chosen = st.dataframe(
        [_row(run) for run in found],
        key="runs",
        on_select="rerun",
        selection_mode="single-row",
        hide_index=True,
        column_config={
            "Val accuracy": st.column_config.NumberColumn(format="percent"),
            "Created": st.column_config.DatetimeColumn(format="distance"),
        },
    )
    if rows := chosen.selection.rows:
        st.query_params["run"] = found[rows[0]].id
        st.rerun()


def _row(run: Run) -> dict[str, object]:
    return {
        "Name": run.name,
        "Dataset": run.dataset,
        "Backbone": run.config.backbone,
        "Status": runs.STATUS[run.status].label,
        "Val accuracy": run.result.get("val_accuracy"),
        "Created": datetime.fromtimestamp(run.created_at, UTC),
        "Run": run.id,
    }


def show_run(run: Run) -> None:
    """One run: live while it goes on, then its results."""
    st.subheader(shell.escaped(run.name))
    live = not run.status.is_final
    st.fragment(run_every=1.0 if live else None)(show_live)(run.id, live)
    if run.result.get("class_names"):
        runs.show_results(run)
        st.page_link(
            PAGES / "4_predict.py",
            label="Try it on a photograph",
            icon=":material/arrow_forward:",
            query_params={"run": run.id},
        )
    with st.expander("Settings of this run", icon=":material/tune:"):
        st.json({"name": run.name, **run.config.model_dump(mode="json")})
    if run.status.is_final and st.button("Delete run", icon=":material/delete:"):
        confirm_delete(run)


def show_live(run_id: str, was_live: bool) -> None:
    """What changes while the run goes on; a tick takes a few milliseconds."""
    store = session.store()
    run = store.get(run_id)
    if was_live and run.status.is_final:
        st.rerun()  # The whole page, so that the results appear and the ticks end.
    with st.container(horizontal=True, vertical_alignment="center"):
        runs.show_status(run)
        if run.status in ("queued", "running"):
            st.button(
                "Stop",
                icon=":material/stop_circle:",
                help="Ends the run and keeps the best weights until now.",
                on_click=stop,
                args=(run_id,),
            )
    runs.show_error(run)
    runs.show_progress(run)
    curves = runs.read_curves(store, run_id)
    steps = int(run.progress.get("steps") or 0)
    for column, name in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        with column:
            charts.draw(curves, name, run.config, steps, key=f"{name}-{run_id}")
    with st.expander("Log of the worker", icon=":material/terminal:"):
        st.code(runs.read_log(run_id), language=None, height=320)


def stop(run_id: str) -> None:
    """Asks the worker to end; it does so within a batch."""
    try:
        queue.stop(session.store(), run_id)
    except TransferError as error:
        st.toast(shell.escaped(str(error)), icon=":material/error:")


@st.dialog("Delete this run?")
def confirm_delete(run: Run) -> None:
    """Asks once more, for there is no way back."""
    st.write(
        f"**{shell.escaped(run.name)}**, its curves, its log and its model will be "
        "removed. The dataset stays."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        keep = st.button("Keep it")
        delete = st.button("Delete for good", type="primary")
    if delete:
        try:
            queue.delete(session.store(), run.id)
        except TransferError as error:
            st.error(shell.escaped(str(error)))
            return
        runs.forget(run.id)
        del st.query_params["run"]
    if keep or delete:
        st.rerun()


shell.begin_page("Runs")
wanted = st.query_params.get("run", "")
if wanted:
    if st.button("All runs", icon=":material/arrow_back:", type="tertiary"):
        del st.query_params["run"]
        st.rerun()
    try:
        opened = session.store().get(wanted)
    except TransferError as error:
        st.error(
            f"{shell.escaped(error.message)} It may have been deleted; the other runs "
            "are in the list.",
            icon=":material/search_off:",
        )
    else:
        show_run(opened)
else:
    show_list()
