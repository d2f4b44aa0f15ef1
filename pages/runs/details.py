"""The parts of a run's page: status, log, results."""

import shlex
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import streamlit as st

from pages.shared import session
from pages.shared.amounts import duration
from pages.shared.shell import escape
from pages.shared.words import spoken
from transfer.evaluation import certainty
from transfer.store import files, outcome
from transfer.store.outcome import PHASES
from transfer.store.record import Run
from transfer.store.status import JobStatus

#: How much of the end of a log is read and shown.
LOG_BYTES = 32_000
LOG_LINES = 200


class Look(NamedTuple):
    """How a status is shown; its icon not on badges, where it would be read aloud."""

    label: str
    color: str
    icon: str


STATUS = {
    JobStatus.QUEUED: Look("Queued", "gray", ":material/schedule:"),
    JobStatus.RUNNING: Look("Running", "orange", ":material/play_circle:"),
    JobStatus.STOPPING: Look("Stopping", "orange", ":material/stop_circle:"),
    JobStatus.COMPLETED: Look("Completed", "green", ":material/check_circle:"),
    JobStatus.STOPPED: Look("Stopped", "blue", ":material/stop_circle:"),
    JobStatus.FAILED: Look("Failed", "red", ":material/error:"),
    JobStatus.INTERRUPTED: Look("Interrupted", "red", ":material/power_off:"),
}

#: What an interrupted run leaves behind, and how to go on.
KEPT = (
    "\n\nKept are its settings, curves and log, the features that were computed, and "
    "its last checkpoint. **Resume** goes on from there, to the same end as without "
    "the pause. If memory was short, start a new run with a smaller batch size instead."
)

#: Why a run went on with smaller batches.
_HALVED = {
    "memory": "There was not enough memory. ",
    "time": "Steps took so long that a stop would not have been heard. ",
    "images": "There are no more training {images}. ",
}

_HEADS = {"instant": "in closed form", "source": "the source's own"}

#: What a worker does in each phase.
DOING = {
    "import": "Loading Keras",
    "prepare": "Computing features",
    "head": "Head phase",
    "fine_tune": "Fine-tuning phase",
    "evaluate": "Saving the best weights",
}


def show_status(run: Run) -> None:
    """A badge, and what ended the run if that was no success."""
    look = STATUS[run.status]
    st.badge(look.label, color=look.color)  # type: ignore[arg-type]
    if run.status is JobStatus.STOPPING:
        st.caption("Ending; the best weights until now are kept.")
    elif run.status is JobStatus.STOPPED and not run.result.get("class_names"):
        st.caption("Stopped before the training proper began, so there is no model.")


def show_error(run: Run) -> None:
    """What ended a run that did not end well, or its first worker, and what follows."""
    if not run.error:
        return
    # Ours and not the store's words: only the page knows what its buttons offer.
    interrupted = run.status is JobStatus.INTERRUPTED
    hint = KEPT if interrupted else escape(run.error.get("hint", ""))
    text = f"{escape(run.error.get('message', ''))} {hint}"
    goes_on = not run.status.is_final
    show = st.warning if goes_on or run.status is JobStatus.STOPPED else st.error
    show(text.strip(), icon=STATUS[run.status].icon)


def halved_batch(run: Run) -> int:
    """The batch size that a run went on with if it is less than was set, else 0.

    What is computed in one step has no batches.
    """
    size = int(_news(run).get("batch_size") or 0)
    is_less = run.config.method == "train" and size < run.config.batch_size
    return size if is_less else 0


def show_batch(run: Run) -> None:
    """Says so where a run went on with smaller batches than were set, and why."""
    if size := halved_batch(run):
        reason = spoken().fill(_HALVED.get(_news(run).get("halved_for", ""), ""))
        st.info(
            f"{reason}This run went on with {size} {spoken().images} per step instead "
            f"of {run.config.batch_size}.",
            icon=":material/memory:",
        )


def _news(run: Run) -> dict[str, Any]:
    return run.progress if run.status.is_active else run.result


def _best(run: Run) -> dict[str, str]:
    """The tile of the best epoch, which a closed form has not."""
    if run.config.method != "train":
        return {"Head": _HEADS[run.config.method]}
    return {"Best epoch": best_epoch(run.result) or "–"}


def best_epoch(told: Mapping[str, Any]) -> str:
    """Which epoch a run's progress or result says to be the best; empty if none."""
    epoch, phase = told.get("best_epoch"), PHASES.get(told.get("best_phase", ""), "")
    if epoch is None or not phase:
        return ""
    blended = ", blended" if told.get("best_blend") else ""
    return f"{epoch} ({phase}{blended})" if epoch else "0, the start"


def show_remarks(run: Run) -> None:
    """That the run ended early, or that its training gained nothing."""
    early = bool(run.result.get("ended_early"))
    for remark in outcome.remarks(run):
        show = st.warning if early else st.info
        show(escape(remark), icon=":material/info:")


def show_results(run: Run) -> None:
    """What came of a run that has a model."""
    result = run.result
    value = outcome.headline(run)
    trainable = result.get("trainable_parameters", 0)
    frozen = result.get("frozen_parameters", 0)
    memory = result.get("peak_memory_mb", 0.0)
    seconds = dict(result.get("seconds", {}))
    tiles = {
        outcome.TITLES[outcome.measure(run)]: "–" if value is None else f"{value:.1%}",
        **_best(run),
        "Trainable parameters": f"{trainable:,}",
        "Frozen parameters": f"{frozen:,}",
        "Peak memory": f"{memory:,.0f} MB",
        "Duration": duration(seconds.pop("total", sum(seconds.values()))),
    }
    known = certainty.in_words(run)
    # Before the figure: on a phone what comes after it is two screens further down.
    if certainty.is_little(run):
        st.warning(escape(known), icon=":material/help:")
        known = ""
    columns = [*st.columns(3), *st.columns(3)]
    beside = outcome.beside_headline(run)
    alone: list[str | None] = [None] * len(columns)
    if beside:  # what the first of them is to be held against
        share = result["val_largest_class"][outcome.measure(run)]
        alone[0] = f"largest class alone {share:.1%}"
    shared: dict[str, Any] = {"delta_color": "off", "delta_arrow": "off"}
    for column, tile, delta in zip(columns, tiles.items(), alone, strict=True):
        column.metric(*tile, delta, border=True, height="stretch", **shared)
    for words in (beside, known):
        if words:
            st.caption(escape(words))
    named = [f"{DOING.get(p, p)} {duration(s)}" for p, s in seconds.items() if s > 0.1]
    st.caption(" · ".join(named))


def show_events(run: Run) -> None:
    """How to see the run in TensorBoard, once it has written anything for it."""
    folder = files.events(run.id)
    if folder.is_dir():
        st.caption("TensorBoard, on the machine of this server:")
        words = shlex.join(["tensorboard", "--logdir", str(folder)])
        st.code(words, language="bash", wrap_lines=True)


def fold(label: str, icon: str, run: Run, show: Callable[[Run], None]) -> None:
    """What is in it is made only while it is open, and anew while the run goes on."""
    # With the run's id, so that a fold that is open stays so for this run alone.
    key = f"{label}-{run.id}"
    with st.expander(label, icon=icon, key=key, on_change="rerun") as opened:
        if opened.open:
            # The worker writes what is watched every 3 s at most.
            every = None if run.status.is_final else 3.0
            st.fragment(run_every=every)(_show_now)(run.id, show)


def _show_now(run_id: str, show: Callable[[Run], None]) -> None:
    show(session.store().get(run_id))


def show_log(run: Run) -> None:
    """The end of what the worker has written."""
    st.code(read_log(run.id), language=None, height=320)


def read_log(run_id: str) -> str:
    """The last lines of the worker's output."""
    try:
        with files.log("run", run_id).open("rb") as log:
            # From the end: a log of days may have hundreds of megabytes.
            log.seek(max(0, log.seek(0, 2) - LOG_BYTES))
            text = log.read().decode("utf-8", "replace")
    except OSError:
        return "The worker has written nothing yet."
    return "\n".join(text.splitlines()[-LOG_LINES:]) or "Nothing yet."
