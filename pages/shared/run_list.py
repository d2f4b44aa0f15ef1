"""All runs in a table; a click opens one, ticked ones are compared or deleted."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from pages.shared import describing, runs, session
from pages.shared.amounts import about
from transfer.runs import queue, waiting
from transfer.runs.record import Run
from transfer.runs.waiting import Place

PAGES = Path(__file__).resolve().parents[1]
#: From so many runs on the filters are shown.
FILTERS_FROM = 4


def show_list() -> None:
    """All runs, newest first; choosing one opens it."""
    found = session.store().runs(limit=500)
    if not found:
        st.info(
            "No run yet. A run trains a classifier on your images: first the new head "
            "on the frozen backbone, then, if you like, some of the backbone too. "
            "You watch it here, and may close the page meanwhile.",
            icon=":material/model_training:",
        )
        st.page_link(
            PAGES / "2_model.py",
            label="Choose a model and start a run",
            icon=":material/arrow_forward:",
        )
        return
    st.caption("Click a run to open it; tick several to compare, tag or delete them.")
    chosen = filters(found) if len(found) >= FILTERS_FROM else lambda _: True
    live = any(not run.status.is_final for run in found)
    st.fragment(run_every=2.0 if live else None)(show_table)(chosen)


def filters(found: list[Run]) -> Callable[[Run], bool]:
    """What the user looks for, as a condition on a run."""
    known = sorted({one for run in found for one in run.tags})
    text, status, dataset, *more = st.columns([2, 1, 1, *([1] if known else [])])
    words = text.text_input(
        "Text", placeholder="Name, note, backbone …", key="find", bind="query-params"
    )
    statuses = status.multiselect(
        "Status",
        list(dict.fromkeys(str(run.status) for run in found)),
        format_func=str.capitalize,
    )
    datasets = dataset.multiselect("Dataset", sorted({run.dataset for run in found}))
    tags = more[0].multiselect("Tag", known) if more else []

    def is_wanted(run: Run) -> bool:
        said = " ".join([run.id, run.name, run.note, run.dataset, run.config.backbone])
        return (
            all(word in said.lower() for word in (words or "").lower().split())
            and (not statuses or run.status in statuses)
            and (not datasets or run.dataset in datasets)
            and set(tags) <= set(run.tags)
        )

    return is_wanted


def show_table(is_wanted: Callable[[Run], bool]) -> None:
    """The table itself; it follows runs that go on."""
    every = session.store().runs(limit=500)
    found = [run for run in every if is_wanted(run)]
    if not found:
        st.caption("No run fits.")
        return
    places = waiting.places(every, queue.max_running())
    chosen = st.dataframe(
        [_row(run, places.get(run.id)) for run in found],
        key="runs",
        on_select="rerun",
        selection_mode=["multi-row", "single-cell"],
        hide_index=True,
        placeholder="–",
        alt="All runs",
        height="content" if len(found) < 20 else 740,
        column_config={
            "Name": st.column_config.TextColumn(width="medium"),
            "Val accuracy": st.column_config.NumberColumn(format="%.1f%%"),
            "Dataset": st.column_config.TextColumn(width="medium"),
            "Created": st.column_config.DatetimeColumn(format="distance"),
            "Tags": st.column_config.ListColumn(),
        },
    )
    selection = chosen.selection
    if cells := [cell for cell in selection.cells if cell[0] < len(found)]:
        st.query_params["run"] = found[cells[0][0]].id
        st.rerun()
    if ticked := [found[row] for row in selection.rows if row < len(found)]:
        describing.show_actions(ticked)


def place_in_words(place: Place) -> str:
    """Where a queued run stands, and about when it starts."""
    start = (
        "when those before it have ended"
        if place.seconds is None
        else f"in about {about(place.seconds)}"
        if place.seconds
        else "at once"
    )
    return f"number {place.position} in the queue, starts {start}"


def _row(run: Run, place: Place | None) -> dict[str, object]:
    accuracy = run.result.get("val_accuracy")
    row: dict[str, object] = {
        "Name": run.name,
        "Status": runs.STATUS[run.status].label,
        "Val accuracy": None if accuracy is None else 100 * accuracy,
        "Dataset": run.dataset,
        "Backbone": run.config.backbone,
        "Created": datetime.fromtimestamp(run.created_at, UTC),
        "Tags": [*run.tags],
        "Note": place_in_words(place).capitalize() if place else run.note,
        "Run": run.id,
    }
    return row
