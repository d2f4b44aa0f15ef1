"""What of whoever looks takes how much of the disk, by kind."""

import streamlit as st

from pages.shared import session, tables
from transfer import workspace
from transfer.people import limits, usage
from transfer.people.limits import NO_LIMITS
from transfer.upkeep import cleaning

_SAYS = {
    "datasets": "Datasets, with their files in full",
    "runs": "Runs and their models",
    "exports": "Exports",
    "uploads": "Uploads that became no dataset yet",
    "trash": "What is in the trash",
}
_CACHES = "Features and thumbnails, which are made again when needed"


def show() -> None:
    """A table, and what all of it comes to."""
    st.header("What takes how much", anchor=False)
    most = limits.of(session.actor())
    # Behind a button where there may be any number of pictures to be counted.
    if most is NO_LIMITS and not st.toggle("Look at the disk"):
        return
    found = usage.on_disk(session.whole_store(), session.actor().id)._asdict()
    sizes = {_SAYS[kind]: float(size) for kind, size in found.items()}
    if not session.actor().id:
        sizes[_CACHES] = float(sum(one.bytes for one in cleaning.caches()))
    total = sum(sizes.values())
    of = f" of {workspace.amount(most.disk)}" if most.disk else ""
    st.caption(f"{workspace.amount(total)}{of} in all, the largest first.")
    rows = [
        {"What": says, "Size": size / 1e6, "Share": size / max(total, 1)}
        for says, size in sorted(sizes.items(), key=lambda pair: -pair[1])
    ]
    columns = {
        "Size": st.column_config.NumberColumn(format="%.1f MB"),
        "Share": st.column_config.ProgressColumn(format="percent"),
    }
    tables.show(rows, hide_index=True, column_config=columns, alt="What takes how much")
