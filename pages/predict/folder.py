"""A folder of pictures: asked piece by piece, then a table to look through."""

import base64
import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from pages.predict import card, correct, photographs, recordings
from pages.predict.answers import Picture
from pages.predict.card import View
from pages.shared import amounts, session, shell, tables
from pages.shared.words import spoken
from transfer.datasets import away, names
from transfer.datasets.renderings import Rendering
from transfer.errors import ImageError, TransferError
from transfer.pile import asked
from transfer.prediction import answers
from transfer.prediction.answers import DONT_KNOW, Answer
from transfer.prediction.client import Ranking
from transfer.prediction.recordings import Heard
from transfer.runs import queue
from transfer.store.record import Run

PAGES = Path(__file__).parents[1]
#: Classes that are kept of each picture.
TOP = 20
#: Rows of the table that are shown at a time.
ROWS = 50

#: What can be taken away: its name, its type, and what makes it of the answers.
_FILES = (
    ("CSV", "text/csv", answers.to_csv),
    ("JSON", "application/json", answers.to_json),
)

UNREADABLE = "Cannot be read"
#: Stands for the picture that cannot be read: a grey square.
_BLANK = (
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='48' height='48'>"
    "<rect width='48' height='48' rx='6' fill='%23808c96' opacity='.3'/></svg>"
)


def show(pictures: Sequence[Picture], view: View) -> None:
    """The answers to all pictures, filters, downloads, and the chosen one's card."""
    run = view.runs[0]
    found, seconds = _answers(run, pictures)
    # An error was shown above; what was answered is kept for the next try.
    if len(found) < len(pictures):
        return
    # Those that cannot be read count as asked, but not as answered.
    answered = sum(bool(one.ranking) for one in found)
    each = amounts.duration(seconds / max(1, len(found)))
    unread = f", {len(found) - answered:,} cannot be read"
    st.caption(
        f"{answered:,} {spoken().pictures} answered in {amounts.duration(seconds)}, "
        f"{each} each" + unread * (answered < len(found))
    )
    chosen = _filter(found, view.threshold)
    rows = [found[at] for at in chosen]
    page, of = _page(len(chosen))
    shown = [(pictures[at], found[at]) for at in chosen[page]]
    # Recordings have no pile, from which they would be sorted in.
    may_teach = run.dataset_kind == "images" and session.may("change", run.dataset)
    selected = None
    if may_teach and st.toggle(
        "Correct the answers",
        key="batch-correct",
        help=f"Choose the right class of each {spoken().picture}, then “Teach it "
        "these”.",
    ):
        small = [_thumbnail(one.key, one, run.rendering) for one, _ in shown]
        correct.show_table(run, small, [said for _, said in shown])
    else:
        selected = _show_table(shown, view)
    with st.container(horizontal=True, vertical_alignment="center"):
        if of > 1:
            st.pagination(of, key="batch-page")
        st.caption(f"{len(chosen):,} of {len(found):,} {spoken().pictures}")
        st.space("stretch")
        for kind, mime, write in _FILES:
            _download(kind, mime, partial(write, rows, view.threshold), run)
        if heard := st.session_state["batch"]["heard"]:
            recordings.offer_table([heard[at] for at in chosen], run.id)
        if may_teach:
            teaching = correct.apply(run, rows)
            _offer_dataset(run, [pictures[at] for at in chosen], teaching)
    # A row can only be ticked with a mouse; a tick makes this list anew.
    closer = st.selectbox(
        "Look closer at",
        chosen[page],
        index=selected,
        format_func=lambda at: found[at].path,
        placeholder=f"A {spoken().picture}, its heat map and its neighbours",
    )
    if closer is not None:
        card.show(pictures[closer], view)


def _answers(run: Run, pictures: Sequence[Picture]) -> tuple[list[Answer], float]:
    """Answers to all pictures, and the seconds that they took; goes on where it was."""
    key = (run.model_id, *(picture.key for picture in pictures))
    kept: dict[str, Any] = st.session_state.get("batch", {})
    if kept.get("key") != key:
        kept = st.session_state["batch"] = {"key": key, "found": [], "seconds": 0.0}
        kept["heard"] = []
    found: list[Answer] = kept["found"]
    if len(found) == len(pictures):
        return found, kept["seconds"]
    bar = st.progress(0.0, "Asking the model; the first answers take some seconds.")
    left = [picture.content for picture in pictures[len(found) :]]
    start = time.perf_counter()
    try:
        for said in _in_pieces(run, left):
            # Goes on where it was, also after a rerun in the middle.
            piece = pictures[len(found) : len(found) + len(said)]
            found += map(_to_answer, piece, said)
            if run.dataset_kind == "sounds":
                kept["heard"] += map(_to_record, piece, said)
            session.spend("predict", len(said))
            now = time.perf_counter()
            kept["seconds"] += now - start
            start = now
            done = f"{len(found):,} of {len(pictures):,} {spoken().pictures}"
            bar.progress(len(found) / len(pictures), done)
    except TransferError as error:
        shell.show_error(error)
    bar.empty()
    return found, kept["seconds"]


def _in_pieces(
    run: Run, left: Sequence[bytes | Path]
) -> Iterator[Sequence[Ranking | Heard | ImageError]]:
    """What the run says, as it comes; recordings are gone through one by one."""
    inference = session.inference()
    if run.dataset_kind != "sounds":
        yield from inference.predict_in_pieces(run.id, left, TOP)
        return
    for one in left:
        try:
            yield [inference.hear(run.id, one)]
        except ImageError as error:
            yield [error]


def _to_answer(picture: Picture, said: Ranking | Heard | ImageError) -> Answer:
    if isinstance(said, ImageError):
        return Answer(path=picture.name, ranking=[], error=str(said))
    ranking = said.ranking[:TOP] if isinstance(said, Heard) else said
    return Answer(path=picture.name, ranking=ranking)


def _to_record(picture: Picture, said: Ranking | Heard | ImageError) -> dict[str, Any]:
    """What the table of segments says of a recording."""
    if isinstance(said, Heard):
        return answers.of_recording(picture.name, said)
    return {"path": picture.name, "error": str(said)}


def _filter(found: list[Answer], threshold: float) -> list[int]:
    """Positions of the answers that the filters leave, in the chosen order."""
    # By the threshold as it stands now, which moves without asking the model again.
    verdicts = [one.verdict(threshold) or UNREADABLE for one in found]
    counts = pd.Series(verdicts, dtype="object").value_counts()
    names, share, order = st.columns([2, 2, 1], vertical_alignment="bottom")
    wanted = names.multiselect(
        "Answers",
        list(counts.index),
        format_func=lambda name: f"{name} ({counts[name]:,})",
        placeholder="All answers",
        key="batch-answers",
    )
    low, high = share.slider(
        "Confidence", 0.0, 1.0, (0.0, 1.0), 0.01, "percent", key="batch-confidence"
    )
    unsure_first = order.selectbox(
        "Order", ["By name", "Least certain first"], key="batch-order"
    ).startswith("Least")
    chosen = [
        at
        for at, one in enumerate(found)
        if (not wanted or verdicts[at] in wanted) and low <= one.confidence <= high
    ]
    return sorted(chosen, key=lambda i: found[i].confidence) if unsure_first else chosen


def _page(rows: int) -> tuple[slice, int]:
    """The rows of the chosen page of the table, and the number of pages."""
    # The number in the session may be from before a filter left fewer pages.
    pages = max(1, math.ceil(rows / ROWS))
    number = min(int(st.session_state.get("batch-page") or 1), pages)
    return slice((number - 1) * ROWS, number * ROWS), pages


def _show_table(rows: list[tuple[Picture, Answer]], view: View) -> int | None:
    """The table; the position of the row that was chosen in it."""
    rendering = view.runs[0].rendering
    table = pd.DataFrame(
        {
            "picture": [
                _thumbnail(picture.key, picture, rendering) for picture, _ in rows
            ],
            "answer": [_first(one, view.threshold) for _, one in rows],
            "confidence": [one.confidence if one.ranking else None for _, one in rows],
            "next": [_second(one) for _, one in rows],
            "file": [one.path for _, one in rows],
        }
    )
    column = st.column_config
    event = tables.show(
        table,
        hide_index=True,
        row_height=56,
        height=min(460, 38 + 56 * max(1, len(rows))),
        on_select="rerun",
        selection_mode="single-row",
        key="batch-table",
        alt=f"Answers to all {spoken().pictures}",
        column_config={
            "picture": column.ImageColumn(spoken().picture.capitalize(), width=80),
            "answer": column.TextColumn("Answer", width="medium"),
            "confidence": column.ProgressColumn(
                "Confidence", format="percent", min_value=0, max_value=1, width=150
            ),
            "next": column.TextColumn("Next, or what is wrong", width="large"),
            "file": column.TextColumn("File", width="medium"),
        },
    )
    chosen = event.selection.rows
    return chosen[0] if chosen and chosen[0] < len(rows) else None


def _first(one: Answer, threshold: float) -> str:
    """The answer; where it is unsure, what it would have been."""
    said = one.verdict(threshold)
    if said == DONT_KNOW:
        return f"{said} ({one.ranking[0][0]}?)"
    return said or UNREADABLE


def _second(one: Answer) -> str:
    if one.error:
        return one.error
    return f"{one.ranking[1][0]} {one.ranking[1][1]:.0%}" if one.ranking[1:] else ""


@st.cache_data(max_entries=2000, show_spinner=False)
def _thumbnail(key: str, _picture: Picture, rendering: Rendering | None) -> str:
    """A small picture as an address that holds it."""
    try:
        content = away.encode_thumbnail(_picture.content, 96, rendering)
    except ImageError:
        return _BLANK
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


def _offer_dataset(
    run: Run, pictures: Sequence[Picture], said: Sequence[Answer]
) -> None:
    """A way of the pictures into the run's dataset, the answers as suggestions."""
    key, count = f"to-dataset-{run.id}", sum(bool(one.ranking) for one in said)
    name = shell.escape(names.title(run.dataset))
    with st.popover(
        "Teach it these", icon=":material/school:", disabled=not count, key=key
    ):
        st.caption(
            f"The {count:,} {spoken().pictures} that the filters leave go to the pile "
            f"of the dataset {name}. There each group of them is confirmed or "
            "corrected, with these answers as suggestions, before it comes in."
        )
        if st.button("Sort them", type="primary", key=f"{key}-go"):
            try:
                session.store().datasets.check("change", run.dataset)
                source, upload, said = photographs.source_of(pictures, said)
                request = asked.request(run.dataset, source, said, upload)
                queue.ask(session.store(), request)
            except TransferError as error:
                shell.show_error(error)
                return
            st.switch_page(PAGES / "1_data.py", query_params={"dataset": run.dataset})


def _download(kind: str, mime: str, make: Callable[[], bytes], run: Run) -> None:
    st.download_button(
        kind,
        make,  # once it is asked for: of 100,000 it takes seconds
        f"predictions-{run.id}.{kind.lower()}",
        mime,
        icon=":material/download:",
        on_click="ignore",
        help=f"All {spoken().pictures} that the filters leave. Below the threshold "
        f"the answer is “{DONT_KNOW}”.",
    )
