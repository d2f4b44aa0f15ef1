"""All images of a dataset: filtered, sorted, chosen, and what is done with them."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from pages.data import doctor, revisions
from pages.shared import addresses, component, mending, run_choice, session, shell
from pages.shared.words import spoken
from transfer.datasets import chosen as choices
from transfer.datasets.revision import SPLITS, Revision
from transfer.doctor import report
from transfer.errors import TransferError
from transfer.gallery import view as views
from transfer.gallery.view import OF_PICTURES, OF_RUNS, Order, Shown, View

#: What the orders are called.
_ORDERS: dict[Order, str] = {
    "chosen": "Surest finding",
    "class": "Class",
    "name": "File name",
    "split": "Split",
    "pixels": "Shorter side",
    "bytes": "Size of the file",
    "taken": "Date taken",
    "seconds": "Length",
    "loudness": "Loudness",
    "day": "Date of the file",
    "confidence": "Confidence of a run",
    "loss": "Loss of a run",
    "disagreement": "Disagreement of two runs",
}
#: What limits are given in, and how much of the order's own unit that is.
_UNITS: dict[Order, tuple[str, float]] = {
    "pixels": ("px", 1),
    "bytes": ("kB", 1000),
    "seconds": ("s", 1),
    "loudness": ("dB", 1),
    "confidence": ("%", 0.01),
    "loss": ("loss", 1),
    "disagreement": ("%", 0.01),
}
_OUT = "left out"


@st.fragment
def show(revision: Revision, is_newest: bool) -> None:
    """The filters, the images, and what can be done with those that are chosen.

    Args:
        revision: The revision to show.
        is_newest: Whether it is the dataset's newest, which alone can be changed.
    """
    view = _ask(revision)
    try:
        with st.spinner(f"Looking at the {spoken().images} …", show_time=True):
            shown = views.show(view)
    except TransferError as error:
        shell.show_error(error)
        return
    # Above the images, so that both are in view, and filled once it is known which.
    place = st.container()
    hashes = [shown.images[at].sha256 for at in _grid(view, shown)]
    if is_newest:
        with place:
            mending.show(revision, hashes, "gallery", view.is_out)
            # Whoever has just scrolled to a picture need not go back to the top.
            revisions.offer_undo(revision, "undo-here")


def _grid(view: View, shown: Shown) -> list[int]:
    """The component; positions of the images that are chosen in it."""
    feed = addresses.gallery(view)
    # The same filter on another revision: somebody looks on where they were.
    place = replace(view, revision="").to_token()
    found = component.load(__file__)(
        key=f"gallery-{view.dataset}",
        data={
            "feed": feed,
            "count": len(shown.images),
            "place": place,
            "all": bool(view.chosen) and view.chosen == st.query_params.get("chosen"),
            "says": bool(view.run or view.is_out)
            or view.order in OF_PICTURES
            or shown.revision.kind == "sounds",
            "images": [spoken().image, spoken().images],
        },
        on_chosen_change=lambda: None,
    )
    said = found.chosen or {}
    # What was chosen in another view is not chosen in this one.
    if said.get("feed") != feed:
        return []
    last = len(shown.images) - 1
    return [at for a, b in said["ranges"] for at in range(a, min(b, last) + 1)]


def _ask(revision: Revision) -> View:
    """The view that is wanted."""
    key = f"view-{revision.dataset}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        classes = st.multiselect(
            "Classes",
            revision.class_names,
            placeholder="All",
            key=f"{key}-classes",
            width=260,
        )
        splits = [*SPLITS, *([_OUT] if revision.left_out else [])]
        split = st.segmented_control("Split", splits, key=f"{key}-split")
        text = st.text_input(
            "File name has", key=f"{key}-text", width=170, placeholder="Any"
        )
        finding = _ask_finding(revision, key)
        # What is chosen is seen in its own order first.
        linked = "" if finding else st.query_params.get("chosen", "")
        own: list[Order] = ["chosen"] if finding or linked else []
        runs = _runs(revision)
        orders = own + [
            one
            for one in views.orders(revision.kind)
            if one != "chosen" and (runs or one not in OF_RUNS)
        ]
        order = st.selectbox(
            "Sorted by",
            orders,
            format_func=lambda one: (
                "Order of the link" if one == "chosen" and linked else _ORDERS[one]
            ),
            key=f"{key}-order-{len(own)}",
            width=210,
        )
        largest = st.toggle("Largest first", key=f"{key}-largest")
        run, other = _ask_runs(runs, order, key)
        least, most = _ask_limits(order, key)
    return View(
        dataset=revision.dataset,
        revision=revision.id,
        classes=tuple(classes),
        splits=(split,) if split in SPLITS else (),
        text=text.strip(),
        chosen=finding or _ask_chosen(revision),
        is_out=split == _OUT,
        order=order,
        is_descending=largest,
        least=least,
        most=most,
        run=run,
        other=other,
    )


def _ask_finding(revision: Revision, key: str) -> str:
    """A choice of the images that the doctor's findings of a kind name; empty for none.

    Those of the surest finding come first.
    """
    found = report.standing(revision)
    by_kind: dict[str, list[str]] = {}
    for one in found.findings if found else ():
        hashes = [image.sha256 for image in one.images if image.sha256]
        if hashes:
            by_kind.setdefault(one.kind, []).extend(hashes)
    if not by_kind:
        return ""
    kind = st.selectbox(
        "Finding",
        by_kind,
        index=None,
        format_func=lambda one: doctor.KINDS[one],
        placeholder="Any",
        key=f"{key}-finding",
        width=170,
    )
    return choices.keep(by_kind[kind]) if kind else ""


def _runs(revision: Revision) -> dict[str, str]:
    """What the runs of this dataset that have a model are called, newest first."""
    found = session.store().summaries(with_model=True)
    return run_choice.labels([one for one in found if one.dataset == revision.dataset])


def _ask_runs(runs: dict[str, str], order: Order, key: str) -> tuple[str, str]:
    """The run that says something of the images, and the one it is compared with."""
    if order not in OF_RUNS:
        return "", ""
    run = st.selectbox(
        "Run", runs, format_func=lambda one: runs[one], key=f"{key}-run", width=320
    )
    if order != "disagreement":
        return str(run), ""
    others = [one for one in runs if one != run]
    other = st.selectbox(
        "And", others, format_func=lambda one: runs[one], key=f"{key}-other", width=320
    )
    return str(run), str(other or "")


def _ask_limits(order: Order, key: str) -> tuple[float | None, float | None]:
    """Between what the values lie that they are sorted by; None for no limit."""
    if order in ("taken", "day"):
        days = [
            st.date_input(label, None, key=f"{key}-{label}-day", width=150)
            for label in ("From", "To")
        ]
        first, last = (
            None if day is None else pd.Timestamp(day).timestamp() for day in days
        )
        return first, None if last is None else last + 86_400
    if order not in _UNITS:
        return None, None
    unit, factor = _UNITS[order]
    found = [
        st.number_input(
            f"{label} {unit}", value=None, key=f"{key}-{label}-{unit}", width=130
        )
        for label in ("From", "To")
    ]
    least, most = (None if one is None else one * factor for one in found)
    return least, most


def _ask_chosen(revision: Revision) -> str:
    """The choice in the address, until somebody wants to see all images again."""
    named = st.query_params.get("chosen", "")
    if not named:
        return ""
    try:
        hashes = choices.load(named)
    except TransferError as error:
        shell.show_error(error)
        return ""
    here = {one.sha256 for one in (*revision.images, *revision.left_out)}
    found = sum(one in here for one in hashes)
    shell.scroll_here(f"chosen-{named}")  # the gallery lies below much else
    with st.container(horizontal=True, vertical_alignment="center"):
        lost = len(hashes) - found
        more = f"; {lost:,} more are not in this revision" if lost else ""
        st.caption(
            f"Only the {found:,} {spoken().images} of a link{more}.", width="content"
        )
        if st.button(f"Show all {spoken().images}", icon=":material/close:"):
            st.query_params.pop("chosen")
            # Of the choice beside “Some of each class”, which is not what was asked.
            st.session_state["pictures-"] = f"All {spoken().images}"
            st.rerun()
    return named
