"""Pictures without labels: brought, grouped, and sorted into the dataset's classes."""

import html
from collections import Counter
from collections.abc import Callable, Sequence

import streamlit as st

from pages.shared import (
    addresses,
    component,
    job_progress,
    mending,
    session,
    shell,
    tables,
    uploader,
)
from transfer.datasets import names
from transfer.datasets.ingest import allowed_folders
from transfer.datasets.revision import Revision
from transfer.errors import TransferError
from transfer.pile import suggest, waiting
from transfer.pile.suggest import Group, Suggested
from transfer.pile.waiting import NONE, Pile
from transfer.runs import requests
from transfer.store.status import JobStatus

#: Pictures of a group, and single ones, that are asked about at a time.
_OF_GROUP, _SINGLE = 48, 8
_SAYS = "Pictures of any class, in whatever folders: they are grouped by their looks."
_LINE = job_progress.count_line(
    {"checked": "Pictures checked", "seen": "Pictures seen by the backbone"}
)
_VIEWS = ["Groups", "Least certain"]


def show(newest: Revision) -> None:
    """The fold; open as long as there is something to sort.

    Args:
        newest: The dataset's newest revision.
    """
    dataset = newest.dataset
    job = session.store().find("sort", dataset)
    pile = waiting.read(dataset)
    is_open = job_progress.stays_open(f"pile-{dataset}", job) or bool(pile.pictures)
    with st.expander(
        "Sort pictures without labels", icon=":material/stacks:", expanded=is_open
    ):
        if job and not job.status.is_final:
            shell.scroll_here(f"pile-{job.id}")
        job_progress.show(job, _LINE, "Cancelled; what has come is on the pile.")
        if job and job.status is JobStatus.COMPLETED:
            uploader.let_go("pile")
            if left := job.result["passed_over"]:
                st.caption("Not taken:")
                tables.show(left, hide_index=True)
        elif job and job.status.is_final:
            uploader.take_back("pile")
        # First what waits; a container, for an uploader that moves loses its upload.
        with st.container():
            if pile.pictures:
                _show_pile(newest)
        if not job_progress.goes_on(job):
            _ask(pile)


def _ask(pile: Pile) -> None:
    """The ways in which pictures come to the pile."""
    arrival = uploader.folder_upload("pile", _SAYS, camera=True)
    path = ""
    if session.may("folders"):
        path = st.text_input(
            "Or the path of a folder, zip or picture on the server", key="pile-path"
        )
    waits = pile.pictures and suggest.is_due(pile)
    label = "Group those that have come" if waits and not arrival else "Group them"
    if not st.button(label, type="secondary" if pile.pictures else "primary"):
        return
    try:
        if path:
            request = requests.sort(pile.dataset, allowed_folders.resolve(path))
        elif arrival and arrival.source:
            request = requests.sort(pile.dataset, arrival.source, upload=arrival.upload)
            uploader.hand_over("pile")
        elif waits:
            request = requests.sort(pile.dataset)
        else:
            st.warning("Bring some pictures first, and wait until they have arrived.")
            return
    except TransferError as error:
        shell.show_error(error)
        return
    job_progress.ask(request)


@st.fragment
def _show_pile(newest: Revision) -> None:
    # Read anew: a press on a picture reruns this part of the page alone.
    pile = waiting.read(newest.dataset)
    if not pile.pictures:  # somebody else has just brought them in
        st.rerun()
    found = suggest.suggest(pile)
    _show_standing(pile)
    if not found.next:
        return
    view = st.segmented_control(
        "What is asked next",
        _VIEWS,
        default=_VIEWS[0],
        required=True,
        key=f"pile-view-{pile.dataset}",
        label_visibility="collapsed",
    )
    classes = sorted({*newest.class_names, *pile.decided.values()} - {NONE})
    if view == _VIEWS[0]:
        _ask_group(newest, pile, found, classes)
    else:
        _ask_single(newest, pile, found, classes)


def _show_standing(pile: Pile) -> None:
    """How far it is, and what can be done with what is sorted."""
    counts = Counter(pile.decided.values())
    none = counts.pop(NONE, 0)
    done, of = len(pile.decided), len(pile.pictures)
    by_class = ", ".join(
        f"{shell.escape(name)} {count:,}" for name, count in sorted(counts.items())
    )
    text = f"{done:,} of {of:,} sorted" + (f": {by_class}" if by_class else "")
    st.progress(done / of, text + (f" · {none:,} of no class" if none else ""))
    with st.container(horizontal=True, vertical_alignment="center"):
        into = sum(counts.values())
        label = f"Bring the {into:,} into the dataset"
        brings = done and st.button(
            label if into else "Drop those of no class",
            type="primary",
            icon=":material/add_photo_alternate:",
            help="One change, which can be undone as one. Those of no class go; the "
            "others stay here.",
        )
        takes_back = pile.steps and st.button(
            "Take the last back", icon=":material/undo:"
        )
        with st.popover("Clear the pile", icon=":material/delete:"):
            st.caption(f"All {of:,} pictures go, those that are sorted too.")
            clears = st.button("Clear it")
    # Below the buttons, for what stands against it is said here.
    name = pile.dataset
    if brings:
        by, says = session.who(), "" if into else f"{none:,} dropped."
        mending.do(name, lambda: waiting.take_in(name, by).revision, says)
    if takes_back:
        _do(pile, lambda: waiting.take_back(name))
    if clears:
        _do(pile, lambda: waiting.clear(name))


def _ask_group(
    newest: Revision, pile: Pile, found: Suggested, classes: Sequence[str]
) -> None:
    """The next group, to be confirmed or corrected in one go."""
    key = f"pile-later-{pile.dataset}"
    later = st.session_state.get(key, 0)
    group = found.groups[later % len(found.groups)]
    count = len(group.hashes)
    looks = f" They look most like **{shell.escape(group.suggestion)}**."
    sure = looks if group.suggestion else ""
    st.markdown(f"A group of {count:,}.{sure} Press those that do not belong to it.")
    chosen = _choose(newest, pile, group, found)
    name = _class_of(group.suggestion, classes, f"pile-{group.number}-{count}")
    with st.container(horizontal=True):
        many = f"{len(chosen):,} picture" + "s" * (len(chosen) != 1)
        as_what = f" as {shell.escape(name)}" if name else ""
        confirms = st.button(
            f"Confirm {many}{as_what}",
            type="primary",
            disabled=not (chosen and name),
            icon=":material/check:",
        )
        are_none = st.button("They show none of the classes", disabled=not chosen)
        if len(found.groups) > 1 and st.button("Another group"):
            st.session_state[key] = later + 1
            st.rerun()
    if confirms or are_none:
        _decide(pile, dict.fromkeys(chosen, NONE if are_none else name))


def _choose(newest: Revision, pile: Pile, group: Group, found: Suggested) -> list[str]:
    """The pictures of a group; SHA-256 of those that are chosen."""
    shown = group.hashes[:_OF_GROUP]
    paths = {one.sha256: one.entry.path for one in pile.pictures}
    mark = f"{group.number}-{len(group.hashes)}-{len(pile.steps)}"
    tiles = [
        {
            "picture": addresses.thumbnail(sha, newest),
            "path": names.showable(paths[sha]),
            "says": _says(found, sha),
            "on": at < group.fitting,
        }
        for at, sha in enumerate(shown)
    ]
    made = component.load(__file__)(
        key=f"pile-{pile.dataset}",
        data={"group": mark, "tiles": tiles},
        on_chosen_change=lambda: None,
    )
    said = made.chosen or {}
    # What was chosen of another group is not chosen of this one.
    if said.get("group") != mark:
        return [*shown[: group.fitting]]
    return [shown[at] for at in said["at"]]


def _says(found: Suggested, sha256: str) -> str:
    said = found.of[sha256]
    return f"{said.class_name} {said.confidence:.0%}" if said.class_name else ""


def _class_of(suggestion: str, classes: Sequence[str], key: str) -> str:
    known = suggestion in classes
    return str(
        st.selectbox(
            "Their class",
            classes,
            index=classes.index(suggestion) if known else None,
            accept_new_options=True,
            placeholder="Choose one, or type a new one",
            key=f"{key}-{suggestion}",
            width=360,
        )
        or ""
    ).strip()


def _ask_single(
    newest: Revision, pile: Pile, found: Suggested, classes: Sequence[str]
) -> None:
    """The pictures of which least is known, each with a class to be confirmed."""
    st.caption(
        "The pictures that the answers so far say least of: a word on these teaches "
        "most."
    )
    none = "None of the classes"
    step: dict[str, str] = {}
    paths = {one.sha256: one.entry.path for one in pile.pictures}
    places = st.columns(4)
    for at, sha in enumerate(found.next[:_SINGLE]):
        with places[at % 4]:
            path = names.showable(paths[sha])
            st.html(
                f'<img src="{addresses.thumbnail(sha, newest)}" '
                f'alt="{html.escape(path)}" title="{html.escape(path)}" '
                'style="width:100%;aspect-ratio:4/3;object-fit:contain;border-radius:6px;'
                'background:rgba(128,140,150,.15)">'
            )
            said = found.of[sha].class_name
            options = [*classes, none]
            name = st.selectbox(
                shell.escape(_says(found, sha) or path),
                options,
                index=options.index(said) if said in options else None,
                accept_new_options=True,
                placeholder="Later",
                key=f"pile-single-{sha}-{said}",
            )
            if name:
                step[sha] = NONE if name == none else str(name).strip()
    if st.button(
        f"Confirm these {len(step)}",
        type="primary",
        disabled=not step,
        icon=":material/check:",
    ):
        _decide(pile, step)


def _decide(pile: Pile, step: dict[str, str]) -> None:
    _do(pile, lambda: waiting.decide(pile.dataset, step))


def _do(pile: Pile, what: Callable[[], None]) -> None:
    """Does it and shows the page anew; what stands against it is said."""
    try:
        session.store().datasets.check("change", pile.dataset)
        what()
    except TransferError as error:
        shell.show_error(error)
        return
    st.rerun()
