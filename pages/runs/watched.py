"""What a run shows while it learns: answers on val, and which blocks move."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import streamlit as st

from pages.runs import details
from pages.shared import addresses, players
from pages.shared.charts import COLORS, look
from pages.shared.words import spoken
from transfer.errors import TransferError
from transfer.export import keeping
from transfer.store import watched
from transfer.store.outcome import PHASES
from transfer.store.record import Run
from transfer.store.watched import Watched

#: With more classes a cell is too small for its number.
MOST_NAMED = 12
SOON = "Comes with the first epochs."


@dataclass(frozen=True)
class _Shown:
    """A state made ready, once for each who looks: addresses are signed for them."""

    seen: Watched
    names: list[str]
    cards: str
    confusion: pa.Table
    blocks: pa.Table


def show(run: Run) -> None:
    """Pinned images, the confusion as it forms, and how far each block has moved."""
    shown = _now(run)
    goes_on = not run.status.is_final
    if not goes_on and not shown.names:
        return
    details.fold(
        f"{spoken().images.capitalize()} that are followed",
        ":material/push_pin:",
        run,
        _images,
    )
    # The folds are there from the start: what comes later would move those below.
    left, right = st.columns(2)
    if goes_on or shown.seen.confusion:
        with left:
            details.fold("Confusion on val", ":material/grid_on:", run, _confusion)
    if goes_on or shown.seen.blocks:
        with right:
            details.fold(
                "What moves in the backbone", ":material/layers:", run, _blocks
            )


def _now(run: Run) -> _Shown:
    return _make(run.id, watched.version(run.id), addresses.visitor(), run)


def _when(run: Run, seen: Watched) -> str:
    """Of which epoch it is, and that another one was kept, where it was."""
    now = f"After epoch {seen.epoch}" if seen.epoch else "At the start"
    said = f"{now} of the {PHASES.get(seen.phase, seen.phase)} phase."
    return said + _what_was_kept(run, seen)


def _what_was_kept(run: Run, seen: Watched) -> str:
    """A sentence, where it is something else than what is shown of a run's end."""
    phase, epoch = run.result.get("best_phase"), run.result.get("best_epoch")
    blend = run.result.get("best_blend")
    is_it = (phase, epoch) == (seen.phase, seen.epoch) and not blend
    if not run.status.is_final or phase not in PHASES or is_it:
        return ""
    of_phase = f"of the {PHASES[phase]} phase"
    what = blend or (f"epoch {epoch} {of_phase}" if epoch else f"the start {of_phase}")
    return f" Kept is {what}: see Evaluate."


def _images(run: Run) -> None:
    shown = _now(run)
    if not shown.cards:
        st.caption(SOON)
        return
    st.caption(
        f"{spoken().images.capitalize()} of val. {_when(run, shown.seen)} The columns "
        "are the probability of the right class, epoch by epoch."
    )
    st.html(shown.cards)


# Shorter than the addresses of the pictures last; a new address each second would make
# the browser fetch the pictures each second.
@st.cache_resource(ttl="12h", max_entries=100, show_spinner=False)
def _make(run_id: str, version: int, who: str, _run: Run) -> _Shown:
    # Nothing is there before the first state, and the folds are.
    seen = watched.load(run_id) or Watched()
    names, images, sounds = _classes_and_images(_run, seen.pinned)
    confusion = [
        {"right": names[i], "answered": names[j], "images": count}
        for i, counts in enumerate(seen.confusion if names else [])
        for j, count in enumerate(counts)
    ]
    blocks = [
        {"block": name, "change": change, "state": "moved" if change else "unchanged"}
        for name, change in seen.blocks.items()
    ]
    return _Shown(
        seen=seen,
        names=names,
        cards=cards_of(seen, names, images, sounds) if images and seen.states else "",
        confusion=pa.Table.from_pylist(confusion),
        blocks=pa.Table.from_pylist(blocks),
    )


def _classes_and_images(
    run: Run, positions: list[int]
) -> tuple[list[str], list[tuple[str, int]], list[str]]:
    """Class names; of each pinned image address and label, and a player if it has."""
    try:
        # Of a dataset that was deleted since, a copy of the list may be kept.
        revision = keeping.revision(run)
    except TransferError:
        return [], [], []
    val = revision.of_split("val")
    chosen, rendering = [val[i] for i in positions], revision.rendering
    images = [
        (addresses.thumbnail(one.sha256, run, rendering=rendering), one.label)
        for one in chosen
    ]
    sounds = [players.below(one.sha256, run, revision.kind) for one in chosen]
    return list(revision.class_names), images, sounds


def cards_of(
    seen: Watched,
    names: list[str],
    images: list[tuple[str, int]],
    sounds: Sequence[str] = (),
) -> str:
    """HTML of the followed images; names may hold any characters."""
    cards = []
    for place, (address, label) in enumerate(images):
        # One answer for each state, from the start to the last epoch.
        answers = [state["answers"][place] for state in seen.states]
        answered, probability, _ = answers[-1]
        right = answered == label
        mark, color = ("✓", COLORS["val"]) if right else ("✗", COLORS["train"])
        cards.append(
            '<figure style="margin:0;width:9.5rem">'
            f'<img src="{address}" alt="{html.escape(names[label])}" style="width:100%;'
            "aspect-ratio:1;object-fit:cover;border-radius:6px;display:block;"
            'overflow:hidden;background:rgba(128,140,150,.15)">'
            f"{sounds[place] if sounds else ''}"
            f"{_line([one[2] for one in answers], color)}"
            f'<figcaption style="font-size:.85rem"><b>{mark}</b> '
            f"{html.escape(names[answered])} {probability:.0%}"
            f'<br><span style="opacity:.7">is {html.escape(names[label])}</span>'
            "</figcaption></figure>"
        )
    style = "display:flex;flex-wrap:wrap;gap:1rem"
    return f'<div style="{style}">{"".join(cards)}</div>'


def _line(values: list[float], color: str) -> str:
    """Values in [0, 1] as thin columns: `st.html` lets no SVG through."""
    columns = "".join(
        f'<div style="flex:1;height:{max(value, 0.03):.0%};background:{color}"></div>'
        for value in values
    )
    return (
        '<div style="display:flex;align-items:flex-end;gap:1px;height:2rem;'
        'margin:.25rem 0;background:rgba(128,140,150,.12)" role="img" '
        f'aria-label="Probability of the right class, at last {values[-1]:.0%}" '
        'title="Probability of the right class, epoch by epoch">'
        f"{columns}</div>"
    )


def _confusion(run: Run) -> None:
    shown = _now(run)
    if not shown.seen.confusion or not shown.names:
        st.caption(SOON)
        return
    st.caption(_when(run, shown.seen))
    axis = {"type": "nominal", "sort": shown.names}
    count = {"field": "images", "type": "quantitative"}
    # By the root: hits are many times as frequent as mistakes, which would all look
    # empty.
    scale = {"type": "sqrt", "range": ["#87919b22", COLORS["val"]]}
    color = {**count, "scale": scale, "legend": None}
    # Numbers lie over the colours, as a layer of their own.
    layers: list[dict[str, Any]] = [{"mark": "rect", "encoding": {"color": color}}]
    # Above that numbers would run into one another; hovering tells them.
    if len(shown.names) <= MOST_NAMED:
        layers.append({"mark": "text", "encoding": {"text": count}})
    spec: dict[str, Any] = {
        "config": look(),
        "layer": layers,
        "encoding": {
            "x": {**axis, "field": "answered", "title": "Answer"},
            "y": {**axis, "field": "right", "title": "Right class"},
            "tooltip": [
                {"field": "right", "title": "Right class"},
                {"field": "answered", "title": "Answer"},
                {"field": "images", "title": spoken().images.capitalize()},
            ],
        },
    }
    st.vega_lite_chart(
        shown.confusion,
        spec,
        key=f"confusion-{run.id}",
        height=320,
        alt="Confusion matrix on val: right class against answer.",
    )


def _blocks(run: Run) -> None:
    shown = _now(run)
    seen = shown.seen
    if not seen.blocks:
        st.caption(SOON)
        return
    spec: dict[str, Any] = {
        "config": look(),
        "mark": {"type": "bar"},
        "encoding": {
            "y": {
                "field": "block",
                "type": "nominal",
                "sort": list(seen.blocks),
                "title": None,
                "axis": {"labelOverlap": False},
            },
            "x": {
                "field": "change",
                "type": "quantitative",
                "title": "Change of the weights, relative to the start",
                "axis": {"format": "~%", "tickCount": 5},
            },
            "color": {"value": COLORS["train"]},
            "tooltip": [
                {"field": "block", "title": "Block"},
                {"field": "change", "title": "Change", "format": ".3~%"},
                {"field": "state", "title": "State"},
            ],
        },
    }
    still = sum(not change for change in seen.blocks.values())
    of_kept = " when the training ended" if run.status.is_final else ""
    st.caption(
        f"{still} of {len(seen.blocks)} blocks are exactly as they were{of_kept}: not "
        f"one of their weights has changed.{_what_was_kept(run, seen)}"
    )
    # As high as its bars need, for a network may have a hundred blocks.
    height = 80 + 18 * len(seen.blocks)
    st.vega_lite_chart(
        shown.blocks,
        spec,
        key=f"blocks-{run.id}",
        height=height,
        alt="Change of the weights of each block, relative to the start.",
    )
