"""What is heard in a long recording, and when; and all segments as a table."""

import html
from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from pages.shared import tables
from transfer.prediction import answers
from transfer.prediction.recordings import Heard

#: Colours of the classes in a timeline, one after another.
_COLOURS = ("#3a6ea5", "#b45f06", "#3f7d4e", "#875a78", "#b8383b", "#2f7f7b", "#7d5f4d")


def show_segments(heard: Heard) -> None:
    """The timeline of a long recording, and the same as a table."""
    st.html(_timeline(heard))
    records = answers.of_recording("", heard)["segments"]
    tables.show(
        {
            "Start, s": [one["start"] for one in records],
            "End, s": [one["end"] for one in records],
            "Class": [one["class_name"] for one in records],
            "Probability": [one["probability"] for one in records],
        },
        hide_index=True,
        height=min(38 + 36 * len(records), 220),
        column_config={
            "Start, s": st.column_config.NumberColumn(format="%.2f"),
            "End, s": st.column_config.NumberColumn(format="%.2f"),
            "Probability": st.column_config.NumberColumn(format="percent"),
        },
        alt="What is heard when",
    )


def offer_table(records: Sequence[dict[str, Any]], run_id: str) -> None:
    """A download of the segments.

    Args:
        records: As `answers.segments_to_csv` takes them.
        run_id: Of the run that heard them.
    """
    st.download_button(
        "Segments (CSV)",
        partial(answers.segments_to_csv, records),
        f"segments-{run_id}.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        help="A line for each part in which one class is the likeliest: start and end "
        "in seconds, class, probability.",
    )


def _timeline(heard: Heard) -> str:
    """HTML of a bar with a stretch for each segment, as wide as it is long."""
    length = heard.segments[-1].end or 1.0
    parts = "".join(
        f'<div title="{_says(heard, at)}" style="flex:{one.end - one.start:.3f} 1 0;'
        "min-width:1px;overflow:hidden;white-space:nowrap;text-overflow:ellipsis;"
        f"color:#fff;padding:.25rem 0 .25rem .3rem;font-size:.8rem;"
        f'background:{_COLOURS[one.label % len(_COLOURS)]}">'
        f"{html.escape(heard.class_names[one.label])}</div>"
        for at, one in enumerate(heard.segments)
    )
    ends = "".join(f"<span>{at * length / 4:.1f} s</span>" for at in range(5))
    return (
        '<div style="display:flex;border-radius:6px;overflow:hidden" role="img" '
        f'aria-label="What is heard when">{parts}</div>'
        '<div style="display:flex;justify-content:space-between;font-size:.75rem;'
        f'opacity:.7">{ends}</div>'
    )


def _says(heard: Heard, at: int) -> str:
    one = heard.segments[at]
    name = html.escape(heard.class_names[one.label])
    return f"{one.start:.1f} to {one.end:.1f} s: {name} {one.probability:.0%}"
