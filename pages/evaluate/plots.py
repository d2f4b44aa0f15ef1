"""Plotly figures of an evaluation: confusion matrix, image map, lines."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from pages.shared import charts, words
from pages.shared.words import spoken

#: Told apart on light and on dark; classes beyond these begin anew.
PALETTE = (
    *("#3f86c9", "#d9701f", "#4f9d69", "#9a72c4", "#c9485b"),
    *("#2ba3a3", "#b8902f", "#d16fa8", "#7a8794", "#7f9a2e"),
)
#: A legend below the axis and its title: beside the chart it takes a phone's width.
BELOW = {"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0}
#: Names of more classes on an axis run into one another; hovering tells them.
MOST_NAMED = 60


def confusion(
    matrix: NDArray[np.int64],
    names: Sequence[str],
    order: Sequence[int],
    shares: bool,
    cells: Sequence[tuple[int, int]],
    chosen: int,
) -> go.Figure:
    """The confusion matrix; its cells are points of the second trace, in that order.

    A heat map has no points: unseen markers on its filled cells take the clicks. The
    cell at `chosen` is framed.
    """
    turned = matrix[np.ix_(order, order)]
    # A class without images in this split has a row of zeros, not of nothing.
    of_class = np.maximum(turned.sum(1, keepdims=True), 1)
    values = turned / of_class if shares else turned
    # Where each class stands once the order is by similarity.
    place = {label: position for position, label in enumerate(order)}
    ticks = [words.short(names[label]) for label in order]
    size = len(order)
    side = max(420, min(900, 34 * size))
    dark = st.context.theme.type == "dark"
    ends = ("#1c232a", "#2f74b5") if dark else ("#f1f4f6", "#1f5f99")
    figure = go.Figure(
        go.Heatmap(
            z=values,
            colorscale=[[0, ends[0]], [1, ends[1]]],
            texttemplate=("%{z:.0%}" if shares else "%{z}") if size <= 20 else None,
            hoverinfo="skip",
            showscale=False,
            xgap=1,
            ygap=1,
        )
    )
    figure.add_scatter(
        x=[place[predicted] for _, predicted in cells],
        y=[place[truth] for truth, _ in cells],
        mode="markers",
        marker={"symbol": "square", "opacity": 0, "size": max(8, 0.7 * side / size)},
        hovertext=[_cell_text(matrix, names, cell) for cell in cells],
        hoverinfo="text",
    )
    row, column = (place[label] for label in cells[chosen])
    frame = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
    figure.add_shape(
        {"type": "rect", "line": {"color": charts.WARM, "width": 2}, **frame}
    )
    small = {"size": 12 if size <= 25 else 9}
    axis = {"tickvals": list(range(size)), "ticktext": ticks, "tickfont": small}
    axis |= {"showgrid": False, "zeroline": False, "fixedrange": True}
    axis["showticklabels"] = size <= MOST_NAMED
    ends_at = [-0.5, size - 0.5]
    # Turned names end at their cells: those turned the other way run off the edge.
    figure.update_xaxes(
        axis, title="Answer", side="bottom", range=ends_at, autotickangles=[0, -45, -90]
    )
    figure.update_yaxes(axis, title="Right class", range=ends_at[::-1])
    return charts.layout(figure, side, showlegend=False, dragmode=False)


def _cell_text(
    matrix: NDArray[np.int64], names: Sequence[str], cell: tuple[int, int]
) -> str:
    truth, predicted = cell
    count, of = matrix[truth, predicted], matrix[truth].sum()
    return (
        f"{words.plain(names[truth])} → {words.plain(names[predicted])}<br>{count:,} "
        f"of {of:,} {spoken().images}, {count / max(of, 1):.1%}"
    )


def image_map(
    places: NDArray[np.float32],
    groups: Mapping[str, tuple[str, NDArray[np.int64]]],
    texts: Sequence[str],
    pictures: Sequence[str],
) -> go.Figure:
    """A map of images with one trace for each group.

    Args:
        places: `(images, 2)`.
        groups: Colour and positions of the images of each group, by its name.
        texts: What hovering over an image shows.
        pictures: Addresses of small pictures; each point carries its own.
    """
    figure = go.Figure()
    # One trace for each, so that a click in the legend hides a group.
    for name, (color, positions) in groups.items():
        figure.add_scatter(
            x=places[positions, 0],
            y=places[positions, 1],
            name=words.short(name),
            mode="markers",
            marker={"color": color, "size": 8, "opacity": 0.8},
            hovertext=[texts[position] for position in positions],
            hoverinfo="text",
            customdata=[pictures[position] for position in positions],
        )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    legend = {**BELOW, "y": 0}
    named = len(groups) <= 25
    return charts.layout(figure, 620, dragmode="lasso", showlegend=named, legend=legend)
