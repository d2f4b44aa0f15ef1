"""Runs: all of them, or one as it goes on and what came of it."""

from pathlib import Path

import streamlit as st

from pages.shared import (
    again,
    charts,
    comparing,
    curves,
    describing,
    run_list,
    runs,
    session,
    shell,
    watched,
)
from transfer.errors import TransferError
from transfer.runs import queue, waiting
from transfer.runs.record import Run
from transfer.runs.status import RunStatus

PAGES = Path(__file__).parent


def show_run(run: Run) -> None:
    """One run: live while it goes on, then its results."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(shell.escaped(run.name), width="content")
        if st.button("Name, note, tags", icon=":material/edit:", type="tertiary"):
            describing.show_form(run)
    for tag in run.tags:
        st.badge(shell.escaped(tag), color="gray")
    if run.note:
        st.caption(shell.escaped(run.note))
    live = not run.status.is_final
    st.fragment(run_every=1.0 if live else None)(show_live)(run.id, live)
    # The worker writes what is watched every 3 s at most.
    st.fragment(run_every=3.0 if live else None)(show_more)(run.id)
    with st.expander("Settings of this run", icon=":material/tune:"):
        st.json({"name": run.name, **run.config.model_dump(mode="json")})
        runs.show_events(run)
    if run.status.is_final:
        with st.container(horizontal=True):
            again.show_buttons(run)
            if st.button("Delete run", icon=":material/delete:"):
                describing.confirm_delete([run])


def show_live(run_id: str, was_live: bool) -> None:
    """What changes while the run goes on; a tick takes a few milliseconds."""
    store = session.store()
    run = store.get(run_id)
    if was_live and run.status.is_final:
        st.rerun()  # The whole page, so that the results appear and the ticks end.
    with st.container(horizontal=True, vertical_alignment="center"):
        runs.show_status(run)
        if run.status is RunStatus.QUEUED:
            places = waiting.places(store.runs(), queue.max_running())
            if place := places.get(run.id):  # it may have been taken just now
                words = f"It is {run_list.place_in_words(place)}."
                st.caption(words, width="content")  # else Stop would jump to its left
        if run.status in ("queued", "running"):
            st.button(
                "Stop",
                icon=":material/stop_circle:",
                help="Ends the run and keeps the best weights until now.",
                on_click=stop,
                args=(run_id,),
            )
        if run.result.get("class_names"):
            st.page_link(
                PAGES / "4_evaluate.py",
                label="Evaluate it",
                icon=":material/arrow_forward:",
                query_params={"run": run_id},
            )
            st.page_link(
                PAGES / "5_predict.py",
                label="Try it on a photograph",
                icon=":material/arrow_forward:",
                query_params={"run": run_id},
            )
    with st.container():  # what comes and goes; folds that move on the page close
        runs.show_error(run)
        runs.show_progress(run)
        runs.show_batch(run)
        if run.status.is_final and run.result.get("class_names"):
            runs.show_results(run)
    if run.config.method == "train":  # a closed form has no curves
        show_curves(run)


def show_more(run_id: str) -> None:
    """What changes less often."""
    run = session.store().get(run_id)
    if run.config.method == "train":
        with st.container():
            watched.show(run)
    with st.expander("Log of the worker", icon=":material/terminal:"):
        st.code(runs.read_log(run_id), language=None, height=320)


def show_curves(run: Run) -> None:
    """Loss and accuracy, side by side."""
    tables = curves.drawn(session.store(), run).tables
    if run.status.is_final and not tables["loss"].num_rows:
        return
    for column, name in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        with column:
            charts.draw(tables[name], name, run.config, f"{name}-{run.id}")


def stop(run_id: str) -> None:
    """Asks the worker to end; it does so within a batch."""
    try:
        queue.stop(session.store(), run_id)
    except TransferError as error:
        st.toast(shell.escaped(str(error)), icon=":material/error:")


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
elif compared := st.query_params.get("compare"):
    if st.button("All runs", icon=":material/arrow_back:", type="tertiary"):
        del st.query_params["compare"]
        st.rerun()
    comparing.show(compared.split(","))
else:
    run_list.show_list()
