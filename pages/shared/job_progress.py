"""A job on a page: its progress while it runs, and a way to end it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from pages.shared import shell
from transfer.errors import RunError
from transfer.runs import jobs

#: Seconds between two looks at a job that runs.
LOOK = 1.0

Line = Callable[[dict[str, Any]], tuple[float, str]]


def watch(
    name: str,
    line: Line,
    cancel: Callable[[], None] | None = None,
    cancelled: str = "Cancelled; what was found until then is kept.",
) -> list[dict[str, Any]]:
    """What a job has found so far; while it runs, its progress and a button to cancel.

    Args:
        name: Of the job, whether or not there ever was one.
        line: Of its progress: the share that is done, 0 to 1, and where it is.
        cancel: Ends it, where more is to be done than to end the job.
        cancelled: What is said once it was cancelled.
    """
    job = jobs.status(name)
    if job is None:
        return []
    if job.state == "running":
        end = cancel or partial(jobs.cancel, name)
        st.fragment(_tick, run_every=LOOK)(name, line, end)
    elif job.state == "failed":
        words = {"kind": "", "message": "It failed.", "hint": "", **job.error}
        shell.show_error(RunError(words["message"], words["hint"]))
    elif job.state == "cancelled":
        st.caption(cancelled)
    return list(job.progress.get("found", []))


def stays_open(fold: str, name: str) -> bool:
    """Whether a fold is to be open: once its job runs, and from then on.

    Were it to be so only while the job runs, it would close over what was found.
    """
    key = f"open-{fold}"
    st.session_state[key] = st.session_state.get(key, False) or jobs.is_running(name)
    return bool(st.session_state[key])


def progress(name: str) -> dict[str, Any]:
    """What the job has told of itself; empty if there never was one."""
    job = jobs.status(name)
    return job.progress if job else {}


def _tick(name: str, line: Line, cancel: Callable[[], None]) -> None:
    job = jobs.status(name)
    found = job.progress.get("found", []) if job else []
    seen = st.session_state.setdefault(f"seen-{name}", len(found))
    if not job or job.state != "running" or len(found) != seen:
        st.session_state[f"seen-{name}"] = len(found)
        st.rerun()
    done, words = line(job.progress)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(max(done, 0.0), 1.0), words)
        if st.button("Cancel", key=f"cancel-{name}", icon=":material/close:"):
            cancel()
            st.rerun()
