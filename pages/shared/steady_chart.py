"""A Plotly figure that stays in its place while it changes, and tells of clicks.

Streamlit's own makes a new chart of every change (1.67): it is gone until that is
drawn, and what was zoomed or hidden is lost.
"""

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.shared import addresses, charts, component


def show(
    figure: go.Figure,
    key: str,
    alt: str,
    clicked: Callable[[int, int], None] | None = None,
    tools: bool = False,
) -> None:
    """The figure.

    Args:
        figure: Its layout says how high it is.
        key: Stays the same while the chart is to stay.
        alt: What it shows, for who does not see it.
        clicked: Called with the number of the trace and of the point that was clicked.
        tools: Whether Plotly's buttons appear when the pointer is over it: to zoom, to
            save a picture.
    """

    def on_click() -> None:
        # A trigger of a component is there for one rerun only.
        click = st.session_state[key].get("click")
        if click and clicked:
            clicked(click["trace"], click["point"])

    # `uirevision` is what Plotly keeps zoom and hidden curves by: as long as it stays,
    # so do they.
    figure.update_layout(template={"layout": _look()}, uirevision=key)
    component.load(__file__, also=component.PLOTLY)(
        key=key,
        data={
            "figure": figure.to_json(),
            "height": figure.layout.height,
            "alt": alt,
            "tools": tools,
            "plotly": addresses.plotly(),
        },
        on_click_change=on_click,
    )


def _look() -> dict[str, Any]:
    """What all figures have in common, on light and on dark."""
    axis = {"gridcolor": "rgba(128,140,150,.25)", "zeroline": False}
    # Long class names get the room that they need instead of being cut.
    axis |= {"automargin": True, "title": {"standoff": 12}}
    return {
        "font": {"color": charts.ink(), "family": "Source Sans, sans-serif"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": axis,
        "yaxis": axis,
        "hoverlabel": {"align": "left"},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": charts.ink()},
    }
