"""The map of the images of an evaluation; a selection shows the pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.shared import addresses, judged, plots, session
from transfer.runs.evaluations import Evaluation

PAGES = Path(__file__).parents[1]
#: Of a hash, in an address that names images; the Data page finds them by it.
_DIGITS = 12
Groups = dict[str, tuple[str, NDArray[np.int64]]]

#: Shows the picture beside the point that is hovered: Plotly's own box holds text only.
_HOVER = """
export default function () {
  const shown = document.createElement('img');
  shown.alt = '';
  shown.style.cssText = 'position:fixed;display:none;width:140px;height:140px;' +
    'object-fit:cover;border-radius:6px;pointer-events:none;z-index:1000;' +
    'box-shadow:0 2px 8px rgba(0,0,0,.35)';
  document.body.append(shown);
  let plot = null;
  const show = ({ points, event }) => {
    shown.src = points[0].customdata;
    shown.style.left = `${Math.min(event.clientX + 16, innerWidth - 150)}px`;
    shown.style.top = `${Math.min(event.clientY + 24, innerHeight - 150)}px`;
    shown.style.display = 'block';
  };
  const hide = () => { shown.style.display = 'none'; };
  // Plotly comes later than this, and anew whenever another colour is chosen.
  const watch = setInterval(() => {
    const now = document.querySelector('.st-key-image-map .js-plotly-plot');
    if (now === plot || !now?.on) return;
    plot = now;
    plot.on('plotly_hover', show);
    plot.on('plotly_unhover', hide);
  }, 300);
  return () => { clearInterval(watch); shown.remove(); };
}
"""


def show(evaluation: Evaluation) -> None:
    """The map, coloured by class or by error, and the pictures of a selection."""
    if not len(evaluation.map_images):
        st.info("Not made yet.")
        return
    colour = st.segmented_control(
        "Colour", ("Class", "Right or wrong"), default="Class", required=True
    )
    groups = by_class(evaluation) if colour == "Class" else by_error(evaluation)
    pictures = [addresses.thumbnail(str(one)) for one in _hashes(evaluation)]
    texts = _texts(evaluation)
    figure = plots.image_map(evaluation.map_places, groups, texts, pictures)
    st.caption(
        "What looks alike to the backbone lies close together. Draw around some images "
        "to see them."
    )
    with st.container(key="image-map"):
        event: Any = st.plotly_chart(
            figure,
            key=f"map-{evaluation.run}-{evaluation.split}-{colour}",
            on_select="rerun",
            # Beside these, Streamlit 1.67 does not hear clicks on single points.
            selection_mode=("box", "lasso"),
            config={"displaylogo": False},
        )
    st.components.v2.component("map_hover", js=_HOVER)(key="map-hover")
    if chosen := selected(groups, event.selection.points):
        hashes = _hashes(evaluation)[chosen][: judged.MOST]
        st.page_link(
            PAGES / "1_data.py",
            label="See them in the dataset",
            icon=":material/arrow_forward:",
            query_params={
                "dataset": session.store().get(evaluation.run).dataset,
                "images": ",".join(one[:_DIGITS] for one in hashes),
            },
        )
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


def _hashes(evaluation: Evaluation) -> NDArray[np.str_]:
    return evaluation.sha256[evaluation.map_images]


def _texts(evaluation: Evaluation) -> list[str]:
    names = evaluation.class_names
    return [
        f"{plots.plain(str(evaluation.paths[position]))}<br>"
        f"{plots.shortened(names[evaluation.labels[position]])}, taken for "
        f"{plots.shortened(names[evaluation.predicted[position]])}"
        for position in evaluation.map_images
    ]
