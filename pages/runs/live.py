"""A run as it goes on, drawn by the browser, which asks for what is new by itself.

A rerun of the page takes the server several milliseconds: twenty visitors who each
cause one a second would slow the training that they watch. So `live.js` asks a route
of app.py, the answer is made once for all who look, and the page runs again only when
the run's status changes.
"""

import functools
import gzip
import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import plotly.offline
import streamlit as st

from pages.runs import curves, details
from pages.runs.curves import Point
from pages.shared import addresses, charts, component, job_progress, session, words
from pages.shared.amounts import about
from pages.shared.words import spoken
from transfer.runs.shared_reads import OnceAWhile
from transfer.store import outcome
from transfer.store.record import Run
from transfer.store.status import JobStatus

#: Seconds for which an answer stands: who asks once a second hears something new.
_FRESH = 0.9
#: Of each chart the title, and Plotly's formats of the axis and of a value.
_CHARTS = {
    "loss": ("Loss", "~g", ".4f"),
    "accuracy": ("Top-1 accuracy", ".1~%", ".1%"),
    "balanced_accuracy": ("Balanced accuracy", ".1~%", ".1%"),
}
_GRAY = "#757e87"  # as legible on light as on dark


class Answer(NamedTuple):
    """What the route sends.

    Attributes:
        content: JSON, compressed with gzip.
        tag: Another one for another content.
    """

    content: bytes
    tag: str


def show(run: Run) -> None:
    """Progress, tiles and curves; runs the fragment that it is in again when the
    browser has seen that the status changed.
    """
    if run.status.is_final and not has_curves(run):
        return
    component.load(__file__, also=component.PLOTLY)(
        key=f"live-{run.id}",
        data={
            "url": addresses.live(run.id),
            "plotly": addresses.plotly(),
            "goes_on": not run.status.is_final,
            "status": run_status(run),
            "charts": layouts(run),
        },
        on_changed_change=lambda: None,  # without it no rerun
    )


def has_curves(run: Run) -> bool:
    """Whether there are curves to be drawn now, or there will be."""
    if run.config.method != "train":  # a closed form has none
        return False
    return not run.status.is_final or _has_values(run)


def _has_values(run: Run) -> bool:
    return bool(curves.draw(session.whole_store(), run).points["loss"])


def kept_answer(run_id: str) -> Answer | None:
    """The answer if it still stands; takes no time."""
    return _once(run_id).value


def make_answer(run_id: str) -> Answer:
    """The answer as of now; reads the store.

    Raises:
        NotFoundError: There is no such run.
    """
    return _once(run_id).get(lambda: _answer(session.whole_store().get(run_id)))


@st.cache_resource(max_entries=100, show_spinner=False)
def _once(run_id: str) -> OnceAWhile[Answer]:  # noqa: ARG001  the key of the cache
    return OnceAWhile(_FRESH)


def _answer(run: Run) -> Answer:
    # Without spaces, and compressed: it is sent once a second to all who watch.
    content = json.dumps(news(run), separators=(",", ":")).encode()
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    return Answer(gzip.compress(content, 5), tag)


@functools.cache
def plotly_js() -> bytes:
    """Plotly's library, compressed with gzip."""
    return gzip.compress(plotly.offline.get_plotlyjs().encode(), 6)


def news(run: Run) -> dict[str, Any]:
    """What `live.js` draws: status, phase, part that is done, tiles, curves."""
    # A closed form has no curves, and nothing of it is read.
    drawn = curves.draw(session.whole_store(), run).points if has_curves(run) else {}
    return {
        "status": run_status(run),
        **_where(run),
        "curves": [traces(name, one, _end(run)) for name, one in drawn.items()],
    }


def run_status(run: Run) -> str:
    """Another one once the page has something else to say than numbers and curves."""
    return f"{run.status} {details.halved_batch(run) or ''}".strip()


def _where(run: Run) -> dict[str, Any]:
    """Phase, part of it that is done, and tiles; empty once the run has ended."""
    if run.status is JobStatus.QUEUED:
        queued = job_progress.line_now()
        # It may have been taken between the two looks.
        place = queued.get(run.id)
        text = words.of_place(place) if place else "about to start"
        return {"phase": text.capitalize(), "part": 0.0, "tiles": {"Worker": "waiting"}}
    if not run.status.is_active:
        return {}
    now = run.progress
    phase = str(now.get("phase", "import"))
    epochs, steps = int(now.get("epochs") or 0), int(now.get("steps") or 0)
    epoch, step = int(now.get("epoch") or 0), int(now.get("step") or 0)
    done = step / steps if steps else 0.0
    part = (epoch - 1 + done) / epochs if epochs else done
    return {
        "phase": details.DOING.get(phase, phase),
        "part": min(max(part, 0.0), 1.0),
        "tiles": _tiles(now),
    }


def _tiles(now: Mapping[str, Any]) -> dict[str, str]:
    """What is known of where the run is; always a line of tiles, so nothing jumps."""
    tiles: dict[str, str] = {}
    if epochs := now.get("epochs"):
        tiles["Epoch"] = f"{now.get('epoch', 0)} of {epochs}"
    if steps := now.get("steps"):
        what = "Step" if epochs else spoken().image.capitalize()
        tiles[what] = f"{now.get('step', 0):,} of {steps:,}"
    if speed := now.get("images_per_second"):
        tiles[f"{spoken().images.capitalize()} per second"] = f"{speed:,.0f}"
    if rate := now.get("learning_rate"):
        tiles["Learning rate"] = f"{rate:.2g}"
    if epochs and (best := details.best_epoch(now)):
        tiles["Best epoch"] = best
    if (left := now.get("seconds_left")) is not None:
        tiles["Time left in this phase"] = about(left)
    doing = "saving" if now.get("phase") == "evaluate" else "getting ready"
    return tiles or {"Worker": doing}


def traces(name: str, points: list[Point], end: int) -> list[dict[str, Any]]:
    """Plotly's traces of one chart: train, val, and a ring around the best epoch.

    Args:
        name: `loss`, `accuracy` or `balanced_accuracy`.
        points: Some of `curves.Drawn`.
        end: The run's number of epochs.
    """
    drawn = []
    for split, color in charts.COLORS.items():
        of_split = [one for one in points if one.split == split]
        # Whole epochs only: the points of single steps would run into a blot.
        sizes = [6 if one.is_whole else 0 for one in of_split]
        drawn.append(
            {
                "name": split,
                "legendgroup": split,
                **_places(of_split),
                "customdata": [one.words for one in of_split],
                "mode": "lines+markers",
                "line": {"color": color, "width": 2},
                "marker": {"size": sizes, "opacity": 1, "line": {"width": 0}},
                "hovertemplate": f"%{{customdata}}<br>%{{y:{_CHARTS[name][2]}}}",
            }
        )
    best = [one for one in points if one.is_best]
    # Its word points inwards: it would be cut off at the edge, or cover an axis.
    sides = ["top left" if one.position > end / 2 else "top right" for one in best]
    ring = {
        "name": "best",
        "legendgroup": "val",
        "showlegend": False,
        **_places(best),
        "mode": "markers+text",
        "text": ["best"] * len(best),
        "textposition": sides,
        "textfont": {"color": charts.COLORS["val"], "size": 11},
        "marker": {"symbol": "circle-open", "size": 12, "color": charts.COLORS["val"]},
        "hoverinfo": "skip",
    }
    return [*drawn, ring]


def _places(points: list[Point]) -> dict[str, list[float]]:
    return {
        # More digits than pixels would only make the answer longer.
        "x": [round(one.position, 4) for one in points],
        "y": [round(one.value, 5) for one in points],
    }


def layouts(run: Run) -> list[dict[str, Any]]:
    """Name and Plotly's layout of each chart of a run of these settings.

    What is zoomed and hidden stays while `uirevision` does. One can zoom into epochs;
    the axis of values follows the curves.
    """
    if not has_curves(run):
        return []
    ink, end = charts.ink(), _end(run)
    axis = {"gridcolor": "rgba(128,140,150,.25)", "zeroline": False}
    found = []
    for name in ("loss", outcome.measure(run)):
        title, tick_format, _ = _CHARTS[name]
        layout = {
            "title": {"text": title, "x": 0, "xref": "paper", "font": {"size": 15}},
            "height": 340,
            "margin": {"l": 52, "r": 12, "t": 64, "b": 44},
            "font": {"color": ink, "family": "Source Sans, sans-serif", "size": 12},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.22},
            "hovermode": "x",  # both splits at once
            "hoverlabel": {"align": "left"},
            "xaxis": {
                "title": {"text": "Epoch"},
                "range": [0, 1.02 * end],
                "showgrid": False,
                "zeroline": False,
                "tickformat": "d",
                "minallowed": 0,
                "maxallowed": 1.02 * end,
            },
            # Else a curve that is always at 100 % would lie in the middle.
            "yaxis": {**axis, "tickformat": tick_format, "fixedrange": True}
            | ({"maxallowed": 1.01} if name != "loss" else {}),
            "uirevision": run.id,
        }
        if end > run.config.head_epochs:
            layout |= _boundary(run.config.head_epochs)
        found.append({"about": f"{title} on train and val by epoch", "layout": layout})
    return found


def _end(run: Run) -> int:
    """Number of epochs of both phases; of a run at its end those that were trained."""
    config, done = run.config, run.result.get("epochs_fine_tuned")
    fine_tunes = config.freeze != "all"
    return config.head_epochs + fine_tunes * (done or config.fine_tune_epochs)


def _boundary(epoch: int) -> dict[str, Any]:
    """A line, named above the plot, where the unfrozen layers begin to train."""
    line = {"color": _GRAY, "width": 1, "dash": "dash"}
    ends = {"x0": epoch, "x1": epoch, "y0": 0, "y1": 1, "yref": "paper"}
    words = {"text": "fine-tuning →", "font": {"color": _GRAY, "size": 11}}
    place = {"x": epoch, "xanchor": "left", "y": 1, "yref": "paper"}
    return {
        "shapes": [{"type": "line", **ends, "line": line}],
        "annotations": [
            {**words, **place, "yanchor": "bottom", "showarrow": False, "xshift": -2}
        ],
    }
