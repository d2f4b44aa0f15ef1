"""Curves of a training, and bars of a prediction."""

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from transfer.config import TrainConfig
from transfer.runs.record import Metric

#: Rows of one chart; more cannot be told apart and make each tick slower.
MAX_ROWS = 400
#: Warm is what trains, cold what is held back; both read well on light and dark.
COLORS = {"train": "#d9701f", "val": "#4a8fd0"}
PHASES = {"head": "head", "fine_tune": "fine-tuning"}

Item = TypeVar("Item")
_Epoch = tuple[str, int]
_Row = tuple[float, float, str, str, str]


@dataclass
class Curves:
    """What has been read of a run's metrics, ready to be drawn.

    Of an epoch that goes on, the mean over the last steps, as many as an epoch has,
    stands in: those that it has not done yet count as in the epoch before. The curve
    so goes on where it was, and ends at the epoch's own mean.

    Attributes:
        last_id: Id of the newest metric that is in.
    """

    last_id: int = 0
    _epochs: dict[_Epoch, dict[str, float]] = field(default_factory=dict)
    _steps: dict[_Epoch, dict[str, dict[int, float]]] = field(default_factory=dict)

    def add(self, metrics: Iterable[Metric]) -> None:
        """Takes in newer values, in the order in which they were stored."""
        for one in metrics:
            epoch = one.phase, one.epoch
            self.last_id = max(self.last_id, one.id)
            if one.step is None:
                self._epochs.setdefault(epoch, {})[one.name] = one.value
                self._steps.pop(epoch, None)
            elif epoch not in self._epochs:
                named = self._steps.setdefault(epoch, {}).setdefault(one.name, {})
                named[one.step] = one.value

    def frame(self, name: str, head_epochs: int, steps: int = 0) -> pd.DataFrame:
        """Rows of one chart: position, value, split, phase, epoch.

        Args:
            name: `loss` or `accuracy`.
            head_epochs: Where fine-tuning begins on the axis of epochs.
            steps: Steps of an epoch; 0 where they are not known yet.
        """
        rows: list[_Row] = []
        for epoch, values in _thinned(list(self._epochs.items()), MAX_ROWS // 4):
            at = _position(epoch, head_epochs)
            for split, key in (("train", name), ("val", f"val_{name}")):
                rows.append((at, values.get(key, math.nan), split, *_words(epoch)))
        ended = [values[name] for values in self._epochs.values() if name in values]
        for epoch, named in self._steps.items():
            before = ended[-1] if ended else None
            values = named.get(name, {})
            going_on = _going_on(epoch, values, before, head_epochs, steps)
            rows += _thinned(going_on, MAX_ROWS // 4)
        rows = [row for row in rows if math.isfinite(row[1])]
        columns = ["position", "value", "split", "phase", "epoch"]
        types = {"position": float, "value": float}
        return pd.DataFrame(rows, columns=columns).astype(types)


def draw(curves: Curves, name: str, config: TrainConfig, steps: int, key: str) -> None:
    """One live chart; while `key` stays, new values move it in place.

    The specification depends on the settings alone: were it to change with the values,
    the browser would build the chart anew.
    """
    frame = curves.frame(name, config.head_epochs, steps)
    st.vega_lite_chart(frame, _spec(name, config), key=key, height=340)


def bars(ranking: Sequence[tuple[str, float]]) -> str:
    """HTML of one bar for each class; names may hold any characters."""
    rows = [_bar(name, value, best=not i) for i, (name, value) in enumerate(ranking)]
    return f'<div style="display:grid;gap:.55rem">{"".join(rows)}</div>'


def _bar(name: str, probability: float, best: bool) -> str:
    weight, color = (600, COLORS["train"]) if best else (400, COLORS["val"])
    return (
        f'<div style="font-weight:{weight}">'
        '<div style="display:flex;gap:1rem;justify-content:space-between">'
        f'<span dir="auto" style="overflow-wrap:anywhere">{html.escape(name)}</span>'
        '<span style="font-variant-numeric:tabular-nums;white-space:nowrap">'
        f"{probability:.1%}</span></div>"
        '<div style="background:rgba(128,140,150,.22);border-radius:4px">'
        f'<div style="width:{max(probability, 0.004):.2%};height:.5rem;'
        f'border-radius:4px;background:{color}"></div></div></div>'
    )


def _position(epoch: _Epoch, head_epochs: int) -> float:
    phase, number = epoch
    return number + (head_epochs if phase == "fine_tune" else 0)


def _words(epoch: _Epoch) -> tuple[str, str]:
    return PHASES.get(epoch[0], epoch[0]), str(epoch[1])


def _going_on(
    epoch: _Epoch,
    values: dict[int, float],
    before: float | None,
    head_epochs: int,
    steps: int,
) -> list[_Row]:
    start, of = _position(epoch, head_epochs) - 1, max(steps, *values, 1)
    phase, number = _words(epoch)
    means = []
    for count, total in enumerate(accumulate(values.values()), 1):
        left = 0 if before is None else max(of - count, 0)
        means.append((total + left * (before or 0)) / (count + left))
    return [
        (start + step / of, mean, "train", phase, f"{number}, step {step}")
        for step, mean in zip(values, means, strict=True)
    ]


def _thinned(items: list[Item], limit: int) -> list[Item]:
    """At most `limit` of the items, evenly spaced, and always the last."""
    stride = max(1, math.ceil(len(items) / limit))
    return items[(len(items) - 1) % stride :: stride] if items else []


def _spec(name: str, config: TrainConfig) -> dict[str, Any]:
    """The chart of `loss` or `accuracy` for a run of these settings."""
    end = config.head_epochs
    fine_tunes = config.freeze != "all" and config.fine_tune_epochs > 0
    percent = name == "accuracy"
    title = "Top-1 accuracy" if percent else "Loss"
    value_format = ".1%" if percent else ".4f"
    colors = {"domain": list(COLORS), "range": list(COLORS.values())}
    x = {
        "field": "position",
        "type": "quantitative",
        "title": "Epoch",
        "scale": {"domain": [0, end + fine_tunes * config.fine_tune_epochs]},
        "axis": {"grid": False, "tickMinStep": 1, "format": "d"},
    }
    y = {
        "field": "value",
        "type": "quantitative",
        "title": None,
        "scale": {"zero": False, "nice": True},
        "axis": {"format": ".0%" if percent else "~g", "tickCount": 5},
    }
    tooltip = [
        {"field": "split", "title": "Split"},
        {"field": "phase", "title": "Phase"},
        {"field": "epoch", "title": "Epoch"},
        {"field": "value", "title": title, "format": value_format},
    ]
    color = {
        "field": "split",
        "type": "nominal",
        "scale": colors,
        "legend": {"title": None, "orient": "top", "direction": "horizontal"},
    }
    shared = {"x": x, "y": y, "color": color}
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "line", "strokeWidth": 2}, "encoding": shared},
        # Generous and unseen, so that a value need not be hit exactly.
        {
            "mark": {"type": "point", "filled": True, "size": 220, "opacity": 0},
            "encoding": {**shared, "tooltip": tooltip},
        },
        {"mark": {"type": "point", "filled": True, "size": 26}, "encoding": shared},
    ]
    if fine_tunes:
        layers = [*_boundary(end), *layers]
    return {
        "title": {"text": title, "anchor": "start"},
        "layer": layers,
    }


def _boundary(epoch: int) -> list[dict[str, Any]]:
    """A line, with its name, where the unfrozen layers begin to train."""
    once = {"values": [{"position": epoch}]}
    x = {"x": {"field": "position", "type": "quantitative"}}
    gray = "#87919b"
    text = {
        "type": "text",
        "text": "fine-tuning →",
        "align": "left",
        "baseline": "top",
        "dx": 5,
        "color": gray,
        "fontSize": 11,
    }
    rule = {"type": "rule", "color": gray, "strokeDash": [4, 4]}
    return [
        {"data": once, "mark": rule, "encoding": x},
        {"data": once, "mark": text, "encoding": {**x, "y": {"value": 3}}},
    ]
