"""The parts of a run's page: status, progress, log, results."""

from typing import NamedTuple

import streamlit as st

from pages.shared.charts import PHASES, Curves
from pages.shared.shell import escaped
from transfer.runs import launch
from transfer.runs.record import Run
from transfer.runs.status import RunStatus
from transfer.runs.store import Store

#: How much of the end of a log is read and shown.
LOG_BYTES = 32_000
LOG_LINES = 200


class Look(NamedTuple):
    """How a status is shown."""

    label: str
    color: str
    icon: str


STATUS = {
    RunStatus.QUEUED: Look("Queued", "gray", ":material/schedule:"),
    RunStatus.RUNNING: Look("Running", "orange", ":material/play_circle:"),
    RunStatus.STOPPING: Look("Stopping", "orange", ":material/stop_circle:"),
    RunStatus.COMPLETED: Look("Completed", "green", ":material/check_circle:"),
    RunStatus.STOPPED: Look("Stopped", "blue", ":material/stop_circle:"),
    RunStatus.FAILED: Look("Failed", "red", ":material/error:"),
    RunStatus.INTERRUPTED: Look("Interrupted", "red", ":material/power_off:"),
}

_PHASE = {
    "import": "Loading Keras",
    "prepare": "Computing features",
    "head": "Head phase",
    "fine_tune": "Fine-tuning phase",
    "evaluate": "Saving the best weights",
}


def show_status(run: Run) -> None:
    """A badge, and what ended the run if that was no success."""
    look = STATUS[run.status]
    st.badge(look.label, icon=look.icon, color=look.color)  # type: ignore[arg-type]
    if run.status is RunStatus.QUEUED:
        st.caption("It starts as soon as the runs before it have ended.")
    elif run.status is RunStatus.STOPPING:
        st.caption("Ending; the best weights until now are kept.")
    elif run.status is RunStatus.STOPPED and not run.result.get("class_names"):
        st.caption("Stopped before the training proper began, so there is no model.")


def show_error(run: Run) -> None:
    """What ended a run that failed or was interrupted, and how to go on."""
    if not run.error:
        return
    kept = (
        "The last checkpoint is kept."
        if run.status is RunStatus.INTERRUPTED
        and "checkpoint is kept" not in run.error.get("hint", "")
        else ""
    )
    parts = run.error.get("message", ""), run.error.get("hint", ""), kept
    show = st.warning if run.status is RunStatus.STOPPED else st.error
    show(escaped(" ".join(filter(None, parts))), icon=STATUS[run.status].icon)


def show_progress(run: Run) -> None:
    """Phase, epoch, step, speed and time left of a run that a worker has."""
    if not run.status.is_active:
        return
    now = run.progress
    phase = str(now.get("phase", "import"))
    epochs, steps = int(now.get("epochs") or 0), int(now.get("steps") or 0)
    epoch, step = int(now.get("epoch") or 0), int(now.get("step") or 0)
    done = step / steps if steps else 0.0
    part = (epoch - 1 + done) / epochs if epochs else done
    st.progress(min(max(part, 0.0), 1.0), text=_PHASE.get(phase, phase))
    speed, left = now.get("images_per_second"), now.get("seconds_left")
    what = "Image" if phase == "prepare" else "Step"
    tiles = {
        "Epoch": f"{epoch} of {epochs}" if epochs else "–",
        what: f"{step:,} of {steps:,}" if steps else "–",
        "Images per second": f"{speed:,.0f}" if speed and epochs else "–",
        "Time left in this phase": duration(left) if left is not None else "–",
    }
    for column, (label, value) in zip(st.columns(4), tiles.items(), strict=True):
        column.metric(label, value)


def show_results(run: Run) -> None:
    """What came of a run that has a model."""
    result = run.result
    accuracy, epoch = result.get("val_accuracy"), result.get("best_epoch")
    phase = PHASES.get(result.get("best_phase", ""), "")
    trainable = result.get("trainable_parameters", 0)
    frozen = result.get("frozen_parameters", 0)
    memory = result.get("peak_memory_mb", 0.0)
    seconds = dict(result.get("seconds", {}))
    tiles = {
        "Val top-1 accuracy": "–" if accuracy is None else f"{accuracy:.1%}",
        "Best epoch": f"{epoch} ({phase})" if epoch else "–",
        "Trainable parameters": f"{trainable:,}",
        "Frozen parameters": f"{frozen:,}",
        "Peak memory": f"{memory:,.0f} MB",
        "Duration": duration(seconds.pop("total", sum(seconds.values()))),
    }
    st.subheader("Result")
    columns = [*st.columns(3), *st.columns(3)]
    for column, (label, value) in zip(columns, tiles.items(), strict=True):
        column.metric(label, value, border=True)
    named = [f"{_PHASE.get(p, p).lower()} {duration(s)}" for p, s in seconds.items()]
    st.caption("Time by phase: " + " · ".join(named))


def duration(seconds: float) -> str:
    """A length of time in short: `40 ms`, `8.2 s`, `3 min 05 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def about(seconds: float) -> str:
    """An estimated length of time: no more digits than are known."""
    digits = 1 if seconds < 10 else 2
    return duration(float(f"{max(seconds, 1):.{digits}g}"))


def size(number: float) -> str:
    """A number of bytes in short: `12 MB`, `1.2 GB`."""
    if number < 1e9:
        return f"{max(number / 1e6, 1):.0f} MB"
    return f"{number / 1e9:.1f} GB"


def read_curves(store: Store, run_id: str) -> Curves:
    """The run's curves with what is new; what was read stays with the visitor.

    A page that opens late reads the whole epochs and then only the steps after them:
    a long run has a hundred thousand steps.
    """
    key = f"curves-{run_id}"
    if key not in st.session_state:
        st.session_state[key] = Curves()
        st.session_state[key].add(store.epoch_metrics(run_id))
    curves: Curves = st.session_state[key]
    curves.add(store.metrics_after(run_id, curves.last_id))
    return curves


def forget(run_id: str) -> None:
    """Drops what was read of a run that is deleted."""
    st.session_state.pop(f"curves-{run_id}", None)


def read_log(run_id: str) -> str:
    """The last lines of the worker's output."""
    try:
        with launch.log_path(run_id).open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - LOG_BYTES))
            text = log.read().decode("utf-8", "replace")
    except OSError:
        return "The worker has written nothing yet."
    return "\n".join(text.splitlines()[-LOG_LINES:]) or "Nothing yet."
