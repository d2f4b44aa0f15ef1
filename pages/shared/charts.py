"""Charts of a training, and bars of a prediction."""

import html
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import streamlit as st

from transfer.config import TrainConfig

#: Warm is what trains, cold what is held back; both read well on light and dark.
COLORS = {"train": "#d9701f", "val": "#4a8fd0"}

#: Streamlit 1.67 undoes a zoom at each new value unless the page asks to hear of it.
KEEP_ZOOM: dict[str, Any] = {"on_select": "rerun", "selection_mode": "zoom"}


def draw(table: pa.Table, name: str, config: TrainConfig, key: str) -> None:
    """One live chart; while `key` stays, new values move it in place.

    The best epoch is ringed. The specification depends on the settings alone: were it
    to change with the values, the browser would build the chart anew.

    Args:
        table: One of `curves.drawn`.
        name: `loss` or `accuracy`.
    """
    alt = f"{name.capitalize()} on train and val by epoch."  # the same at each tick
    st.vega_lite_chart(
        table, _spec(name, config), key=key, height=340, alt=alt, **KEEP_ZOOM
    )


def ink() -> str:
    """The colour of words in charts: Streamlit's own gray is too pale on light."""
    return "#b9c2ca" if st.context.theme.type == "dark" else "#4d5862"


def look() -> dict[str, Any]:
    """What all live charts have in common, as the `config` of their specification.

    Marks say nothing to a screen reader: the chart has a name, a mark has none.
    """
    color = ink()
    # Streamlit would pull the outermost labels inwards, off their lines and rows.
    axis = {"labelColor": color, "titleColor": color, "labelFlush": False}
    legend = {"labelColor": color}
    return {"mark": {"aria": False}, "axis": axis, "legend": legend}


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
        # A little longer than the run: what is zoomed is cut off at the edges.
        "scale": {
            "domain": [0, 1.01 * (end + fine_tunes * config.fine_tune_epochs)],
            "nice": False,
        },
        "axis": {"grid": False, "tickMinStep": 1, "format": "d"},
    }
    y = {
        "field": "value",
        "type": "quantitative",
        "title": None,
        # Room above the curves for the word at the best epoch: the plot is cut off. Not
        # rounded, for then an accuracy of 100 % would have an axis up to 105 %.
        "scale": {"zero": False, "nice": False, "padding": 18},
        # As wide with the first labels as without: else the plot would jump then.
        "axis": {
            "format": ".1~%" if percent else "~g",
            "tickCount": 5,
            "minExtent": 44,
        },
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
    opacity = {"condition": {"param": "shown", "value": 1}, "value": 0.12}
    shared = {"x": x, "y": y, "color": color, "opacity": opacity}
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "line", "strokeWidth": 2},
            "encoding": shared,
            "params": _choices(),
        },
        # Generous and unseen, so that a value need not be hit exactly.
        {
            "mark": {"type": "point", "filled": True, "size": 220},
            "encoding": {**shared, "tooltip": tooltip, "opacity": {"value": 0}},
        },
        # Whole epochs only: the points of single steps would run into a blot.
        {
            "mark": {"type": "point", "filled": True, "size": 26},
            "transform": [{"filter": "indexof(datum.epoch, 'step') < 0"}],
            "encoding": shared,
        },
        *_best_epoch(shared),
    ]
    if fine_tunes:
        layers = [*_boundary(end), *layers]
    return {
        "title": {"text": title, "anchor": "start"},
        "config": look(),
        "layer": layers,
    }


def _choices() -> list[dict[str, Any]]:
    """Zoom by wheel and drag, back by a double click; one split by its legend."""
    return [
        # Epochs only: the values' axis keeps its round ends and follows the curves.
        {
            "name": "zoom",
            "select": {"type": "interval", "encodings": ["x"]},
            "bind": "scales",
        },
        {
            "name": "shown",
            "select": {"type": "point", "fields": ["split"]},
            "bind": "legend",
        },
    ]


def _best_epoch(shared: dict[str, Any]) -> list[dict[str, Any]]:
    """A ring, with its word, around the epoch whose weights are kept."""
    best = [{"filter": "datum.best"}]
    # To the left, for the last epoch stands at the edge of the plot.
    text = {"type": "text", "text": "best", "align": "right", "dx": 4, "dy": -14}
    return [
        {
            "mark": {"type": "point", "size": 130, "strokeWidth": 2},
            "transform": best,
            "encoding": shared,
        },
        {"mark": {**text, "fontSize": 11}, "transform": best, "encoding": shared},
    ]


def _boundary(epoch: int) -> list[dict[str, Any]]:
    """A line, with its name, where the unfrozen layers begin to train."""
    once = {"values": [{"position": epoch}]}
    x = {"x": {"field": "position", "type": "quantitative"}}
    gray = "#757e87"  # as legible on light as on dark
    text = {
        "type": "text",
        "text": "fine-tuning →",
        "align": "left",
        "baseline": "top",
        "dx": 4,
        "color": gray,
        "fontSize": 11,
        "clip": False,  # it stands above the plot, where no curve runs through it
    }
    rule = {"type": "rule", "color": gray, "strokeDash": [4, 4]}
    return [
        {"data": once, "mark": rule, "encoding": x},
        {"data": once, "mark": text, "encoding": {**x, "y": {"value": -14}}},
    ]
