"""One chart of accuracy against cost, with intervals; a click chooses a point."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pages.model.block_drawing import FROZEN, TRAINS
from pages.shared import steady_chart


@dataclass(frozen=True, kw_only=True)
class Point:
    """One thing to choose.

    Attributes:
        name: What it is called in the choice.
        label: What stands beside the point.
        cost: In the unit of the axis.
        accuracy: In [0, 1].
        low: Lower end of its interval.
        high: Upper end.
        more: What is told when the pointer is over it.
    """

    name: str
    label: str
    cost: float
    accuracy: float
    low: float
    high: float
    more: str


def chart(
    points: Sequence[Point],
    key: str,
    cost: str,
    accuracy: str,
    chosen: Callable[[str], None],
    now: str = "",
    line: bool = False,
    log: bool = False,
) -> None:
    """The chart.

    Args:
        points: From which one is chosen.
        key: Of the chart.
        cost: Title of the axis of costs, with its unit.
        accuracy: Title of the axis of accuracies.
        chosen: Called with the name of the point that was clicked.
        now: Name of the point that is chosen now.
        line: Whether a line joins the points.
        log: Whether costs are shown on a logarithmic axis.
    """

    def on_click(_: int, point: int) -> None:
        if point < len(points):  # else others were found since
            chosen(points[point].name)

    steady_chart.show(
        _figure(points, cost, accuracy, now, line, log),
        key,
        "; ".join(point.more for point in points),
        on_click,
    )


def _figure(
    points: Sequence[Point], cost: str, accuracy: str, now: str, line: bool, log: bool
) -> go.Figure:
    # The same colours as in the drawing, where warm is what was chosen.
    colours = [TRAINS if point.name == now else FROZEN for point in points]
    # Plotly wants lengths, not ends.
    up = [point.high - point.accuracy for point in points]
    down = [point.accuracy - point.low for point in points]
    trace = go.Scatter(
        x=[point.cost for point in points],
        y=[point.accuracy for point in points],
        mode="lines+markers+text" if line else "markers+text",
        line={"color": "rgba(128,128,128,.5)", "width": 1},
        marker={"size": 13, "color": colours},
        error_y={
            "array": up,
            "arrayminus": down,
            "thickness": 1.5,
            "width": 4,
            "color": "rgba(128,128,128,.8)",
        },
        text=[point.label for point in points],
        textposition=_sides([point.cost for point in points]),
        hovertext=[point.more for point in points],
        hoverinfo="text",
        cliponaxis=False,
    )
    drawn = go.Figure(trace)
    # Without dragging, or a phone could not scroll past it.
    drawn.update_layout(
        height=340, margin={"l": 10, "r": 90, "t": 10, "b": 10}, dragmode=False
    )
    drawn.update_xaxes(title=cost)
    if log:
        # Plotly's own marks would say 2 for 2 and for 20.
        marks = [one * 10.0**power for power in range(-4, 6) for one in (1, 2, 5)]
        names = [f"{mark:g}" for mark in marks]
        drawn.update_xaxes(type="log", tickvals=marks, ticktext=names)
    drawn.update_yaxes(title=accuracy, tickformat=".0%")
    return drawn


def _sides(costs: Sequence[float]) -> list[str]:
    """Where the label of each point stands: neighbours may be close together."""
    sides = ("top right", "bottom right", "top left", "bottom left")
    ordered = sorted(range(len(costs)), key=lambda i: costs[i])
    place = {i: sides[rank % len(sides)] for rank, i in enumerate(ordered)}
    return [place[i] for i in range(len(costs))]
