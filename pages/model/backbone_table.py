"""All backbones in one table; a click on a row uses that one."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from pages.shared import tables
from pages.shared.words import spoken
from transfer.backbones import catalogue, weights
from transfer.datasets.revision import Kind
from transfer.features import speeds


def show(choose: Callable[[str], None], kind: Kind) -> None:
    """The fold.

    Args:
        choose: Called with the name of the backbone of the row that was clicked.
        kind: Of the dataset.
    """

    def on_select_row() -> None:
        # A callback and not the answer of the table: it must set the chooser above
        # before that is drawn again.
        rows = st.session_state["gallery"]["selection"]["rows"]
        if rows:
            choose(list(catalogue.all_for(kind))[rows[0]])

    count = len(catalogue.all_for(kind))
    with st.expander(f"All {count} backbones", icon=":material/grid_view:"):
        tables.show(
            table(kind),
            hide_index=True,
            key="gallery",
            on_select=on_select_row,
            selection_mode="single-row",
            height=320,
            placeholder="–",
            alt="All backbones",
            column_config={
                "Parameters": st.column_config.NumberColumn(format="%.1f M"),
                "File": st.column_config.NumberColumn(format="%.0f MB"),
                "ImageNet top-1": st.column_config.NumberColumn(
                    format="percent", help="As published; not measured here."
                ),
                _rate(): st.column_config.NumberColumn(
                    format="%.0f",
                    help="Of the fastest engine on this machine; empty until the "
                    "backbone was first used or measured here.",
                ),
            },
        )
        st.caption("A click at the left of a row uses that backbone.")


def _rate() -> str:
    """The title of the column of rates."""
    return f"{spoken().images.capitalize()}/s here"


def table(kind: Kind) -> pd.DataFrame:
    """The catalogue as it is shown."""
    every = list(catalogue.all_for(kind).values())
    # Only what was measured: an estimate beside it would look as sure.
    rates = [speeds.told_rates(b.name, (b.native_size,) * 2) for b in every]
    return pd.DataFrame(
        {
            "Backbone": [one.title for one in every],
            "Weights": [weights.whereabouts(one) for one in every],
            "Parameters": [one.parameters / 1e6 for one in every],
            "File": [weights.size(one) / 1e6 for one in every],
            spoken().pixels.capitalize(): [one.native_size for one in every],
            "ImageNet top-1": [
                None if one.whole else one.imagenet_top_1 for one in every
            ],
            _rate(): [max(one.values()) if one else None for one in rates],
            "Licence of the weights": [one.licence for one in every],
        }
    )
