"""The map of a run's images; a selection shows the pictures."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.evaluate import pictures, plots
from pages.shared import addresses, charts, session, words
from pages.shared.words import spoken
from transfer.datasets.revision import SPLITS
from transfer.errors import TransferError
from transfer.evaluation import results
from transfer.evaluation.results import Evaluation
from transfer.export import keeping
from transfer.store.record import Run

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
    """The map of the run's images of all splits, and the pictures of a selection."""
    mapped = results.load(evaluation.run, "all")
    if mapped is None:
        st.info("Not made yet.")
        return
    run = session.store().get(evaluation.run)
    colour = st.segmented_control(
        "Colour", [*COLOURS], default="Class", required=True, key="map-colour"
    )
    # Each colour groups the same points anew.
    groups = COLOURS[colour](mapped, run)
    show_map(mapped, groups, run, colour)


def show_map(evaluation: Evaluation, groups: Groups, run: Run, colour: str) -> None:
    """The map in these colours."""
    # Signed once for all points; the address of a picture is what a point carries.
    hashes = map(str, evaluation.sha256)
    thumbnails = [addresses.thumbnail(one, run) for one in hashes]
    texts = _texts(evaluation)
    figure = plots.image_map(evaluation.map_places, groups, texts, thumbnails)
    st.caption(
        f"{len(evaluation.labels):,} {spoken().images} of all splits. What looks "
        "alike to the backbone lies close together. Draw around some "
        f"{spoken().images} to see them."
    )
    with st.container(key="image-map"):
        event: Any = st.plotly_chart(
            figure,
            key=f"map-{evaluation.run}-{colour}",
            on_select="rerun",
            # Beside these, Streamlit 1.67 does not hear clicks on single points.
            selection_mode=("box", "lasso"),
            config={"displaylogo": False},
            alt=f"Map of {len(thumbnails):,} {spoken().images} by what they look like.",
        )
    st.components.v2.component("map_hover", js=_HOVER)(key="map-hover")
    if chosen := positions_of(groups, event.selection.points):
        pictures.show(evaluation, chosen)


def by_class(evaluation: Evaluation, _: Run) -> Groups:
    """The positions of the images of each class that is there."""
    return {
        name: (
            plots.PALETTE[label % len(plots.PALETTE)],
            np.flatnonzero(evaluation.labels == label),
        )
        for label, name in enumerate(evaluation.class_names)
        if (evaluation.labels == label).any()
    }


def by_split(evaluation: Evaluation, run: Run) -> Groups:
    """The positions of the images of each split; none where nothing is known of it."""
    try:
        revision = keeping.revision(run)
    except TransferError:
        return {"Unknown": (charts.COLD, np.arange(len(evaluation.labels)))}
    # By content: places on the map know nothing of folders.
    of = {image.sha256: image.split for image in revision.images}
    splits = np.array([of.get(str(one), "") for one in evaluation.sha256])
    return {
        split: (plots.PALETTE[number], np.flatnonzero(splits == split))
        for number, split in enumerate(SPLITS)
        if (splits == split).any()
    }


def by_error(evaluation: Evaluation, _: Run) -> Groups:
    """The positions of hits and of mistakes, these on top."""
    right = evaluation.labels == evaluation.predicted
    named = {"Right": (charts.COLD, right), "Wrong": (charts.WARM, ~right)}
    return {
        name: (color, np.flatnonzero(here)) for name, (color, here) in named.items()
    }


COLOURS = {"Class": by_class, "Split": by_split, "Right or wrong": by_error}


def positions_of(groups: Groups, points: list[dict[str, Any]]) -> list[int]:
    """Positions on the map of the points that a browser names by trace and number."""
    traces = [positions for _, positions in groups.values()]
    found = []
    for point in points:
        trace, number = point.get("curve_number", 0), point.get("point_index", 0)
        # A browser may still show the map of before.
        if trace < len(traces) and number < len(traces[trace]):
            found.append(int(traces[trace][number]))
    return found


def _texts(evaluation: Evaluation) -> list[str]:
    names = [words.short(one) for one in evaluation.class_names]
    seen = zip(evaluation.paths, evaluation.labels, evaluation.predicted, strict=True)
    return [
        f"{words.plain(str(path))}<br>{names[label]}, taken for {names[predicted]}"
        for path, label, predicted in seen
    ]
