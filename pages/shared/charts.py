"""How charts look, and bars of a prediction."""

import html
from collections.abc import Sequence
from typing import Any

import streamlit as st

#: Warm is what trains, cold what is held back; both read well on light and dark.
COLORS = {"train": "#d9701f", "val": "#4a8fd0"}


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
