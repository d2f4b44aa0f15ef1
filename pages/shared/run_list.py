"""All runs in a table; a click opens one."""

from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from pages.shared import runs, session
from transfer.runs.record import Run

PAGES = Path(__file__).resolve().parents[1]


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
    st.caption("Click a run to open it.")
    live = any(not run.status.is_final for run in found)
    st.fragment(run_every=2.0 if live else None)(show_table)()


def show_table() -> None:
    """The table itself; it follows runs that go on."""
    found = session.store().runs(limit=500)
    chosen = st.dataframe(
        [_row(run) for run in found],
        key="runs",
        on_select="rerun",
        selection_mode="single-cell",
        hide_index=True,
        placeholder="–",
        height="content" if len(found) < 20 else 740,
        column_config={
            "Name": st.column_config.TextColumn(width="medium"),
            "Val accuracy": st.column_config.NumberColumn(format="%.1f%%"),
            "Created": st.column_config.DatetimeColumn(format="distance"),
        },
    )
    if cells := chosen.selection.cells:
        st.query_params["run"] = found[cells[0][0]].id
        st.rerun()


def _row(run: Run) -> dict[str, object]:
    accuracy = run.result.get("val_accuracy")
    return {
        "Name": run.name,
        "Status": runs.STATUS[run.status].label,
        "Val accuracy": None if accuracy is None else 100 * accuracy,
        "Dataset": run.dataset,
        "Backbone": run.config.backbone,
        "Created": datetime.fromtimestamp(run.created_at, UTC),
        "Run": run.id,
    }
