"""The doctor of a dataset: what may be wrong, side by side, and mended with a click."""

import html
import math
from dataclasses import replace
from functools import lru_cache
from itertools import islice

import streamlit as st

from pages.data import seeing
from pages.shared import job_progress, mending, session, shell, tiles
from pages.shared.words import spoken
from transfer.datasets import chosen, library
from transfer.datasets.revision import Kind, Revision
from transfer.doctor import group_table, mend, report
from transfer.doctor.finding import Finding, Remedy, Shown
from transfer.doctor.finding import show as show_images

#: What the kinds are called, in the order in which they are offered.
KINDS = {
    "label": "Labels in doubt",
    "copy": "Copies",
    "group": "Torn groups",
    "shortcut": "Shortcuts",
    "unreadable": "Unreadable",
    "constant": "One colour",
    "dark": "Dark",
    "light": "Light",
    "blurred": "Blurred",
    "tiny": "Tiny",
    "odd": "Odd shapes",
    "animated": "Several pages",
    "few": "Too few",
    "imbalance": "Imbalance",
    "inside": "One in another",
}
_LOOKS_FOR: dict[Kind, str] = {
    "images": "labels in doubt, copies, torn groups, shortcuts and bad pictures",
    "sounds": "labels in doubt, torn groups such as speakers, and classes of few "
    "recordings or one within another",
}
#: What is worth knowing of all of a kind.
_ABOUT = {
    "label": "Studies of public sets found that about one in four or five suspected "
    "labels is really wrong; the others are hard {pictures}. Look before you press.",
    "copy": "Copies across splits make the accuracy look better than it is.",
    "shortcut": "A small model was given this property alone, and no {picture}.",
}
#: Findings on one page of them, and pictures of one.
_PAGE, _PICTURES = 6, 12
#: Pictures of each class between which a label is in doubt.
_OTHERS = 3
_DOING = {
    "look": "{images} looked at",
    "features": "{images} seen by the backbone",
    "neighbours": "{images} compared with others",
    "copies": "Pairs laid over each other",
    "labels": "Labels judged",
}


def show(revision: Revision, is_newest: bool) -> None:
    """The fold.

    Args:
        revision: What is looked at.
        is_newest: Whether it is the dataset's newest, which alone can be mended.
    """
    request = report.request(revision)
    job = job_progress.find(request)
    with st.expander(
        "Data doctor: what may be wrong?",
        icon=":material/stethoscope:",
        expanded=job_progress.stays_open("doctor", job),
    ):
        st.caption(
            f"Looks for {_LOOKS_FOR[revision.kind]}, says how sure it is and what that "
            "does to your figures, and mends it."
        )
        found = report.standing(revision)
        with st.container(horizontal=True, vertical_alignment="center"):
            is_due = found is None or not found.is_new
            if not job_progress.goes_on(job):
                asked = "Look" if found is None else "Look again"
                if is_due and st.button(
                    asked, icon=":material/play_arrow:", key="ask-doctor"
                ):
                    resizing = seeing.last_resizing(revision.dataset)
                    job_progress.ask(report.request(revision, resizing=resizing))
                _offer_table(revision)
        job_progress.show(job, job_progress.count_line(_DOING))
        if found is not None:
            _show_findings(revision, found.findings, is_newest)


def _offer_table(revision: Revision) -> None:
    """A look with the groups that a table of the user's gives."""
    with st.popover("Groups by a table", icon=":material/table:"):
        st.caption(
            "A CSV file with a column of paths or file names and one of subjects, "
            "patients, sessions: what belongs together must lie in one split. File "
            "names and copies are looked at in any case."
        )
        file = st.file_uploader("CSV file", "csv", key=f"groups-{revision.dataset}")
        content = file.getvalue() if file else b""
        column = st.selectbox(
            "Column of the groups", group_table.columns(content), index=None
        )
        if st.button("Look with it", disabled=not column) and column:
            resizing = seeing.last_resizing(revision.dataset)
            asked = report.request(revision, "", content, column, resizing)
            job_progress.ask(asked)


@st.fragment
def _show_findings(
    revision: Revision, findings: list[Finding], is_newest: bool
) -> None:
    if not findings:
        st.success(
            "Nothing is wrong that the doctor knows of.", icon=":material/check:"
        )
        return
    counts = {
        kind: sum(one.kind == kind for one in findings)
        for kind in KINDS
        if any(one.kind == kind for one in findings)
    }
    key = f"doctor-{revision.dataset}"
    kind = st.pills(
        "Kinds of findings",
        ["all", *counts],
        default="all",
        required=True,
        format_func=lambda one: (
            f"All {len(findings):,}"
            if one == "all"
            else f"{KINDS[one]} {counts[one]:,}"
        ),
        key=f"{key}-kind",
        label_visibility="collapsed",
    )
    shown = [one for one in findings if kind in ("all", one.kind)]
    # Of all findings the labels are the most, and the least sure.
    about = "label" if kind == "all" and "label" in counts else kind
    if about in _ABOUT:
        st.caption(spoken().fill(_ABOUT[about]))
    if is_newest:
        # Of labels in doubt most are right: all at once only for who asks for these.
        safe = [one for one in shown if kind == "label" or one.kind != "label"]
        _offer_all(revision, safe, f"{key}-all-{kind}")
    pages, page = math.ceil(len(shown) / _PAGE), 1
    place = st.container()
    if pages > 1:
        page = st.pagination(pages, key=f"{key}-page-{kind}-{len(shown)}")
    with place:
        for at, one in enumerate(shown[(page - 1) * _PAGE : page * _PAGE]):
            _show_finding(revision, one, is_newest, f"{key}-{kind}-{page}-{at}")


def _offer_all(revision: Revision, findings: list[Finding], key: str) -> None:
    """A button for the first remedy of every finding that is shown."""
    first = [one.remedies[0] for one in findings if one.remedies]
    first = [one for one in first if one.does != "merge"]
    if len(first) > 1 and st.button(
        f"Do the first remedy of all {len(first):,}",
        icon=":material/healing:",
        key=key,
        help="One change, which can be undone as one. Of labels in doubt only where "
        "they alone are shown.",
    ):
        _mend(revision, first)


def _mend(revision: Revision, remedies: list[Remedy]) -> None:
    dataset, by = revision.dataset, session.who()
    mending.do(dataset, lambda: mend.carry_out(dataset, remedies, by))


def _show_finding(
    revision: Revision, finding: Finding, is_newest: bool, key: str
) -> None:
    with st.container(border=True):
        st.markdown(
            f"**{KINDS[finding.kind]}** · {_how_sure(finding)}  \n"
            f"{shell.escape(finding.says)}"
        )
        tiles = [_tile(one, revision) for one in _pictures(finding)]
        if finding.kind == "label":
            tiles += _compare(revision, finding)
        if tiles:
            st.html(_row(tiles))
        hashes = [one.sha256 for one in finding.images if one.sha256]
        with st.container(horizontal=True, vertical_alignment="center"):
            for at, remedy in enumerate(finding.remedies if is_newest else ()):
                if st.button(
                    shell.escape(remedy.says),
                    icon=":material/healing:",
                    key=f"{key}-{at}",
                ):
                    _mend(revision, [remedy])
            if hashes:
                more = "" if len(hashes) == 1 else f" all {len(hashes):,}"
                if st.button(f"Open{more}", icon=":material/photo_library:", key=key):
                    _open(hashes)


def _pictures(finding: Finding) -> list[Shown]:
    """The images to be seen; what the import passed over as a copy looks the same."""
    some = finding.images[:_PICTURES]
    same = some[0].sha256 if finding.kind == "copy" else ""
    return [one if one.sha256 else replace(one, sha256=same) for one in some]


def _open(hashes: list[str]) -> None:
    """Shows these images in the gallery of the page."""
    st.query_params["chosen"] = chosen.keep(hashes)
    st.rerun()


def _how_sure(finding: Finding) -> str:
    # Nothing but the bytes themselves is beyond doubt.
    sure = f"{min(finding.certainty, 0.99):.0%}" if finding.certainty < 1 else "100%"
    # It is the model that is so sure, and not that the label is wrong.
    return f"model {sure} against it" if finding.kind == "label" else f"{sure} sure"


def _compare(revision: Revision, finding: Finding) -> list[str]:
    """Tiles of both classes between which a label is in doubt."""
    (target,) = finding.remedies[0].targets
    tiles = []
    for name in (finding.images[0].class_name, target):
        own = (
            one
            for one in _examples(revision.dataset, revision.id).get(name, ())
            if one.sha256 != finding.images[0].sha256
        )
        tiles += [
            _tile(one, revision, f"{name}, others") for one in islice(own, _OTHERS)
        ]
    return tiles


@lru_cache(maxsize=8)
def _examples(dataset: str, revision_id: str) -> dict[str, list[Shown]]:
    """Some images of each class; found once, for there may be 100,000."""
    revision, found = library.load(dataset, revision_id), dict[str, list[Shown]]()
    for image in revision.images:
        own = found.setdefault(revision.class_names[image.label], [])
        if len(own) <= _OTHERS:
            own += show_images(revision, [image])
    return found


def _row(made: list[str]) -> str:
    """HTML of tiles side by side."""
    wide = "6rem,7.5rem" if spoken().image == "image" else "11rem,13rem"  # a player's
    return tiles.row(made, f"repeat(auto-fill,minmax({wide}))")


def _tile(image: Shown, of: Revision, says: str = "") -> str:
    """HTML of an image with its class and split, or what is said of it."""
    where = html.escape(says or image.class_name or image.path)
    split = "" if says else tiles.faint(image.split)
    return tiles.tile(image.sha256, image.path, of, f"{where} {split}", "contain")
