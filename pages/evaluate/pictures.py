"""Pictures of an evaluation, each with what it is and what it was taken for."""

import html
from collections.abc import Sequence

import streamlit as st

from pages.evaluate import closer
from pages.shared import mending, session, tiles
from transfer.errors import TransferError
from transfer.evaluation.results import Evaluation
from transfer.store.record import Run

#: Pictures shown at once; more take seconds to load.
MOST = 60


def show(evaluation: Evaluation, positions: Sequence[int], most: int = MOST) -> None:
    """A grid of pictures, the first `most` of them.

    Args:
        positions: Of the images in the evaluation.
    """
    if len(positions) > most:
        st.caption(f"The first {most} of {len(positions):,}.")
    run = session.store().get(evaluation.run)
    _offer_mending(run, [str(evaluation.sha256[one]) for one in positions])
    # As the model saw them: of deep grey the range decides what can be seen at all.
    cards = [_card(evaluation, int(one), run) for one in positions[:most]]
    st.html(tiles.row(cards, "repeat(auto-fill,minmax(9rem,1fr))"))
    closer.show(run, evaluation, [int(one) for one in positions[:most]])


def _offer_mending(run: Run, hashes: list[str]) -> None:
    """What can be done with these images in the run's dataset, if it is still there."""
    try:
        newest = session.load(run.dataset)
    except TransferError:
        return  # deleted, or somebody else's; the figures are kept
    if not session.may("change", run.dataset):
        return
    there = {one.sha256 for one in newest.images}
    if left := [one for one in hashes if one in there]:
        mending.link(run.dataset, left)
        mending.show(newest, left, f"evaluate-{len(left)}-{left[0]}")


def _card(evaluation: Evaluation, position: int, run: Run) -> str:
    """One square picture and two lines below it, cut where they are too long."""
    names = evaluation.class_names
    truth = names[evaluation.labels[position]]
    predicted = evaluation.predicted[position]
    confidence = float(evaluation.shown[position, predicted])
    is_right = predicted == evaluation.labels[position]
    said = f"{'✓' if is_right else '✗'} {names[predicted]}"
    caption = (
        f'{_line(truth)}<div style="display:flex;gap:.4rem;'
        'justify-content:space-between;opacity:.75">'
        f"{_line(said)}<span>{confidence:.0%}</span></div>"
    )
    sha256, path = evaluation.sha256[position], evaluation.paths[position]
    return tiles.tile(str(sha256), str(path), run, caption)


def _line(text: str) -> str:
    shown = html.escape(text)
    return (
        f'<div dir="auto" title="{shown}" style="overflow:hidden;white-space:nowrap;'
        f'text-overflow:ellipsis">{shown}</div>'
    )
