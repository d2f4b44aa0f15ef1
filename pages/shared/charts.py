"""How charts look, and bars of a prediction."""

import html
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

#: Warm is what trains or stands out, cold what does not; both read well on light and
#: dark, and so does the gray of what is only there to be compared with.
WARM, COLD, GRAY = "#d9701f", "#3f86c9", "#87919b"
#: Of the two curves of a training; the blue is lighter, for its lines are thin.
COLORS = {"train": WARM, "val": "#4a8fd0"}


def ink() -> str:
    """The colour of words in charts: Streamlit's own gray is too pale on light."""
    return "#b9c2ca" if st.context.theme.type == "dark" else "#4d5862"


def look() -> dict[str, Any]:
    """What all Vega-Lite charts have in common, as the `config` of each.

    Marks say nothing to a screen reader: the chart has a name, a mark has none.
    """
    color = ink()
    # Streamlit would pull the outermost labels inwards, off their lines and rows.
    axis = {"labelColor": color, "titleColor": color, "labelFlush": False}
    legend = {"labelColor": color}
    return {"mark": {"aria": False}, "axis": axis, "legend": legend}


def layout(figure: go.Figure, height: int, **more: Any) -> go.Figure:
    """The figure with the margins and fonts of all charts."""
    # On the right there is room for half of the last label, which is left out else.
    figure.update_layout(height=height, margin={"l": 8, "r": 24, "t": 24, "b": 8})
    axis = {"tickfont_color": ink(), "title_font_color": ink()}
    figure.update_xaxes(axis)
    figure.update_yaxes(axis)
    figure.update_layout(hoverlabel={"align": "left"}, **more)
    return figure


def percent_axes(figure: go.Figure, x: str, y: str, **y_more: Any) -> go.Figure:
    """The figure with shares of 0 to 1 on both axes."""
    figure.update_xaxes(title=x, tickformat=".0%", range=[-0.01, 1.01])
    y_axis = {"range": [-0.01, 1.03], **y_more}
    figure.update_yaxes(title=y, tickformat=".0%", **y_axis)
    return figure


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
