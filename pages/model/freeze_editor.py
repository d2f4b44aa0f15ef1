"""The freeze editor: one plan behind presets, a drawing, toggles and a table."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.model import block_drawing, layer_table, lessons
from pages.shared import shell
from transfer.backbones import catalogue, freeze_edits
from transfer.backbones.freezing import FreezePlan, Resolved
from transfer.backbones.structure import Structure
from transfer.config import explained
from transfer.errors import FreezeError

PRESETS = {
    "instant": "Parameter sharing, instant",
    "all": "Head only",
    "last": "Last block",
    "stage": "Last stage",
    "none": "Everything",
}
HELP = (
    f"{explained('freeze', {})} "
    f"“{PRESETS['instant']}” computes the head in closed form; "
    f"“{PRESETS['stage']}” trains all blocks whose output is as small as the "
    "backbone's. A click in the drawing makes any other choice."
)
CLICKS = {False: "Training starts there", True: "That block alone"}


@dataclass
class _Edited:
    """The plan of one backbone in this session.

    Attributes:
        plan: The plan now.
        base: The plan from which the table of layers was last made.
        made: How often it was; part of the table's key, so that it starts anew.
    """

    plan: str = "all"
    base: str = "all"
    made: int = 0


def adopt(backbone: str, plan: str) -> None:
    """Makes this the plan of a backbone, whatever was chosen before."""
    kept = _kept(backbone)
    kept.plan = kept.base = plan
    kept.made += 1
    if plan != "all":
        st.session_state["method"] = "train"


def freezing(
    structure: Structure, weights: str, images: int, head: int
) -> tuple[str, Any]:
    """The freeze plan that is chosen, and two places for what it costs.

    Args:
        structure: The backbone.
        weights: Where its parameters come from.
        images: Number of training images.
        head: Number of parameters of the head, which always train.
    """
    plan = _plan(structure)
    resolved = plan.resolve(structure)
    with st.expander("Parameter sharing or feature sharing?"):
        title = catalogue.get(structure.backbone).title
        lessons.explain(structure, resolved, title, weights, head)
    _presets(structure, resolved)

    def clicked(block: str, only: bool) -> None:
        alone = block == block_drawing.HEAD
        after = FreezePlan("all") if alone else None
        after = after or freeze_edits.clicked(structure, plan, block, only)
        adopt(structure.backbone, str(after))

    only = st.segmented_control(
        "A click on a block", list(CLICKS), required=True, default=False,
        format_func=CLICKS.__getitem__, key="click", persist_state="session",
    )  # fmt: skip
    block_drawing.draw(structure, resolved, bool(only), clicked)
    places = _show_sum(resolved, head)
    # What comes and goes has a place of its own: folds that move on the page close.
    with st.container():
        lessons.warn(structure, resolved, images, head)
    with st.expander(f"The {len(structure.blocks)} blocks, from pixels to head"):
        layer_table.show_blocks(structure, resolved, clicked)
    with st.expander("Single layers"):
        kept = _kept(structure.backbone)
        layer_table.show_layers(
            structure, _base(structure), _table_key(structure, kept)
        )
    return str(plan), places


def _kept(backbone: str) -> _Edited:
    kept: _Edited = st.session_state.setdefault(f"freeze-{backbone}", _Edited())
    return kept


def _table_key(structure: Structure, kept: _Edited) -> str:
    return f"layers-{structure.backbone}-{kept.made}"


def _base(structure: Structure) -> frozenset[str]:
    plan = FreezePlan.parse(_kept(structure.backbone).base)
    return frozenset(plan.resolve(structure).trainable_layers)


def _plan(structure: Structure) -> FreezePlan:
    """The plan now: what was last adopted, and what was ticked in the table since."""
    kept = _kept(structure.backbone)
    try:
        FreezePlan.parse(kept.plan).resolve(structure)
    except FreezeError as error:  # settings of another backbone were loaded
        says = f"{error.message} Everything is frozen instead."
        st.warning(shell.escaped(says))
        adopt(structure.backbone, "all")
    key = _table_key(structure, kept)
    if key in st.session_state:
        trains = layer_table.edited(structure, _base(structure), key)
        kept.plan = str(freeze_edits.described(structure, trains))
    elif kept.plan != kept.base:  # another page has made the table forget
        adopt(structure.backbone, kept.plan)
    return FreezePlan.parse(kept.plan)


def _presets(structure: Structure, resolved: Resolved) -> None:
    known = {
        "all": FreezePlan("all"),
        "none": FreezePlan("none"),
        "last": FreezePlan("last", count=1),
        "stage": freeze_edits.last_stage(structure),
    }
    same = (
        name
        for name, plan in known.items()
        if plan.resolve(structure).trainable_layers == resolved.trainable_layers
    )
    now = next(same, None)  # none of them: a choice of one's own
    if now == "all" and st.session_state.get("method") == "instant":
        now = "instant"
    st.session_state["preset"] = now

    def chosen() -> None:
        name = st.session_state["preset"]
        if name in ("instant", "all"):
            st.session_state["method"] = "instant" if name == "instant" else "train"
        if name:
            plan = known["all" if name == "instant" else name]
            adopt(structure.backbone, str(plan))

    # Where a stage is a single block, two presets would be the same.
    is_block = str(known["stage"].resolve(structure)) == str(
        known["last"].resolve(structure)
    )
    offered = [name for name in PRESETS if name != "stage" or not is_block]
    st.segmented_control(
        "What trains", offered, format_func=PRESETS.__getitem__,
        help=HELP, key="preset", on_change=chosen,
    )  # fmt: skip


def _show_sum(resolved: Resolved, head: int) -> Any:
    """What the plan adds up to; places for the seconds of an epoch and for the disk."""
    trains, still = resolved.trainable_parameters + head, resolved.frozen_parameters
    # As wide as they are, in as many rows as they need: columns would cut figures off.
    with st.container(horizontal=True, gap="medium"):
        st.metric("Trainable parameters", f"{trains:,}", width="content")
        st.metric("Frozen parameters", f"{still:,}", width="content")
        st.metric(
            "Cut after",
            resolved.cut.layer,
            help="All below it is frozen.",
            width="content",
        )
        epoch, disk = st.empty(), st.empty()
    shape = " × ".join(map(str, resolved.cut.shape))
    st.caption(
        f"The new head's {head:,} parameters always train and are among these. At the "
        f"cut, each image is {shape} numbers."
    )
    return epoch, disk
