"""Runs: all of them, or one as it goes on and what came of it."""

from pathlib import Path

import streamlit as st

from pages.runs import (
    comparing,
    details,
    line,
    live,
    machines,
    naming,
    next_steps,
    reading,
    table,
    watched,
)
from pages.shared import kept, leaderboard, session, sharing, shell, words
from pages.shared.words import spoken
from transfer.errors import TransferError
from transfer.runs import queue
from transfer.store.record import Run, default_name

PAGES = Path(__file__).parent


def show_run(run: Run) -> None:
    """One run: live while it goes on, then its results."""
    words.speak_of(session.kind_of(run))
    # Evaluate, Predict and Export then begin with the run that was looked at.
    kept.remember("run", run.id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(shell.escape(run.name), width="content")
        if session.may("change", run) and st.button(
            "Name, note, tags", icon=":material/edit:", type="tertiary"
        ):
            naming.show_form(run)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        described = default_name(run.config)
        facts = [described] if described != run.name else []
        st.caption(
            shell.escape(
                " · ".join([*facts, session.dataset_label(run.dataset), run.id])
            ),
            width="content",
        )
        for tag in run.tags:
            st.badge(shell.escape(tag), color="gray")
    if run.note:
        st.caption(shell.escape(run.note))
    # By id: a fragment runs again by itself, and must read how the run stands then.
    show_live(run.id, went_on=not run.status.is_final)
    show_more(run.id)
    leaderboard.offer(run)
    # As they were stored, for who wants to know exactly.
    with st.expander("Settings of this run", icon=":material/tune:"):
        st.json({"name": run.name, **run.config.model_dump(mode="json")})
        details.show_events(run)
    with st.container(horizontal=True):
        if run.status.is_final:
            next_steps.show_buttons(run)
            if session.may("delete", run) and st.button(
                "Delete run", icon=":material/delete:"
            ):
                naming.confirm_delete([run])
        sharing.show_run(run)


@st.fragment
def show_live(run_id: str, went_on: bool) -> None:
    """What changes while the run goes on."""
    run = session.store().get(run_id)
    if went_on and run.status.is_final:
        st.rerun()  # the whole page, so that the results appear
    with st.container(horizontal=True, vertical_alignment="center"):
        details.show_status(run)
        machines.show_place(run)
        if run.status in ("queued", "running") and session.may("stop", run):
            st.button(
                "Stop",
                icon=":material/stop_circle:",
                help="Ends the run and keeps the best weights until now.",
                on_click=stop,
                args=(run_id,),
            )
        st.page_link(
            PAGES / "1_data.py",
            label=f"See its {spoken().images}",
            icon=":material/photo_library:",
            query_params={"dataset": run.dataset, "revision": run.revision},
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
                label=f"Try it on a {spoken().photograph}",
                icon=":material/arrow_forward:",
                query_params={"run": run_id},
            )
            st.page_link(
                PAGES / "6_export.py",
                label="Take it away",
                icon=":material/arrow_forward:",
                query_params={"run": run_id},
            )
    with st.container():  # what comes and goes; folds that move on the page close
        details.show_error(run)
        details.show_batch(run)
        details.show_remarks(run)
        if run.status.is_final and run.result.get("class_names"):
            details.show_results(run)
    live.show(run)


@st.fragment
def show_more(run_id: str) -> None:
    """Folds; nothing is read for one that is closed."""
    run = session.store().get(run_id)
    # Without steps there is nothing to follow.
    if run.config.method == "train":
        watched.show(run)
    reading.show(run)
    details.fold("Log of the worker", ":material/terminal:", run, details.show_log)


def stop(run_id: str) -> None:
    """Asks the worker to end; it does so within a batch."""
    try:
        queue.stop(session.store(), run_id)
    except TransferError as error:
        st.toast(shell.escape(str(error)), icon=":material/error:")


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
            f"{shell.escape(error.message)} It may have been deleted; the other runs "
            "are in the list.",
            icon=":material/search_off:",
        )
    else:
        st.query_params["run"] = wanted  # a link on this very page left it out
        show_run(opened)
elif compared := st.query_params.get("compare"):
    if st.button("All runs", icon=":material/arrow_back:", type="tertiary"):
        del st.query_params["compare"]
        st.rerun()
    comparing.show(compared.split(","))
else:
    line.show()
    machines.show()
    table.show_list()
