"""Which machines do the work, where there are several, and what each does."""

from collections import Counter

import streamlit as st

from pages.shared import session, shell, tables
from transfer.runs import machines, vanished
from transfer.store.machines import Machine
from transfer.store.record import Job


def show() -> None:
    """All of them, for whoever sees to the queue."""
    store = session.whole_store()
    others = machines.others(store) if session.may("queue") else []
    if not others:
        return
    found, busy = store.machines.all(), Counter(one.host for one in store.active())
    says = f"Machines: {len(found)} are here"
    with st.expander(says, icon=":material/dns:", key="machines"):
        tables.show([_row(one, busy[one.name]) for one in found], hide_index=True)
        st.caption(
            "A run is done by one machine, as a whole: two machines do two runs, and "
            "none does a run in half the time. One that is lost gives its runs to the "
            "others, which go on from the last checkpoint."
        )


def elsewhere(job: Job) -> str:
    """The machine that has or had it, if that is not the one of this page; or empty."""
    return "" if vanished.is_here(job) else job.host or ""


def show_place(job: Job) -> None:
    """The same in words."""
    if machine := elsewhere(job):
        st.caption(f"On {shell.escape(machine)}")


def _row(one: Machine, busy: int) -> dict[str, object]:
    return {
        "Machine": one.name,
        "Cores": one.cores,
        "GPUs": int(one.gpus),
        "Memory": f"{one.memory / 1e9:.0f} GB",
        "Runs at once": one.slots,
        "At work": busy,
    }
