"""The map of the images of an evaluation; a selection shows the pictures."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.shared import judged, plots
from transfer.runs.evaluations import Evaluation

Groups = dict[str, tuple[str, NDArray[np.int64]]]


def show(evaluation: Evaluation) -> None:
    """The map, coloured by class or by error, and the pictures of a selection."""
    if not len(evaluation.map_images):
        st.info("Not made yet.")
        return
    colour = st.segmented_control(
        "Colour", ("Class", "Right or wrong"), default="Class", required=True
    )
    groups = by_class(evaluation) if colour == "Class" else by_error(evaluation)
    figure = plots.image_map(evaluation.map_places, groups, _texts(evaluation))
    st.caption(
        "What looks alike to the backbone lies close together. Draw around some images "
        "to see them."
    )
    event: Any = st.plotly_chart(
        figure,
        key=f"map-{evaluation.run}-{evaluation.split}-{colour}",
        on_select="rerun",
        # Beside these, Streamlit 1.67 does not hear clicks on single points.
        selection_mode=("box", "lasso"),
        config={"displaylogo": False},
        alt=f"Map of {len(evaluation.map_images):,} images by what they look like.",
    )
    if chosen := selected(groups, event.selection.points):
        judged.show(evaluation, evaluation.map_images[chosen].tolist())


def by_class(evaluation: Evaluation) -> Groups:
    """The positions on the map of each class that is there."""
    labels = evaluation.labels[evaluation.map_images]
    return {
        name: (
            plots.PALETTE[label % len(plots.PALETTE)],
            np.flatnonzero(labels == label),
        )
        for label, name in enumerate(evaluation.class_names)
        if (labels == label).any()
    }


def by_error(evaluation: Evaluation) -> Groups:
    """The positions on the map of hits and of mistakes, these on top."""
    right = (evaluation.labels == evaluation.predicted)[evaluation.map_images]
    named = {"Right": (plots.COLD, right), "Wrong": (plots.WARM, ~right)}
    return {
        name: (color, np.flatnonzero(here)) for name, (color, here) in named.items()
    }


def selected(groups: Groups, points: list[dict[str, Any]]) -> list[int]:
    """Positions on the map of the points that a browser names by trace and number."""
    traces = [positions for _, positions in groups.values()]
    found = []
    for point in points:
        trace, number = point.get("curve_number", 0), point.get("point_index", 0)
        if trace < len(traces) and number < len(traces[trace]):
            found.append(int(traces[trace][number]))
    return found


def _texts(evaluation: Evaluation) -> list[str]:
    names = evaluation.class_names
    return [
        f"{plots.plain(str(evaluation.paths[position]))}<br>"
        f"{plots.shortened(names[evaluation.labels[position]])}, taken for "
        f"{plots.shortened(names[evaluation.predicted[position]])}"
        for position in evaluation.map_images
    ]
