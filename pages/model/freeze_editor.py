"""The freeze editor: one plan behind presets, a drawing, toggles and a table."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.model import block_drawing, layer_table, lessons
from pages.shared import shell
from transfer.backbones import freeze_edits
from transfer.backbones.freezing import FreezePlan, Resolved
from transfer.backbones.structure import Structure
from transfer.config import help_text
from transfer.errors import FreezeError

PRESETS = {
    "instant": "Parameter sharing, instant",
    "all": "Head only",
    "last": "Last block",
    "stage": "Last stage",
    "none": "Everything",
}
HELP = (
    f"{help_text('freeze', {})} "
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
    kept = _editing(backbone)
    kept.plan = kept.base = plan
    # Another key is another table: its ticks belong to the plan before.
    kept.made += 1
    if plan != "all":
        st.session_state["method"] = "train"


def choose(
    structure: Structure, weights: str, images: int, head: int
) -> tuple[Resolved, Any]:
    """The freeze plan that is chosen, and two places for what it costs.

    Args:
        structure: The backbone.
        weights: Where its parameters come from.
        images: Number of training images.
        head: Number of parameters of the head, which always train.
    """
    base = _plan_of_table(structure)
    resolved = _plan_now(base)
    with st.expander("Parameter sharing or feature sharing?"):
        lessons.explain(resolved, weights, head)
    _show_presets(resolved)

    def turn_over(block: str, only: bool) -> None:
        # The head has no block to turn over; a click on it is the way back to all
        # frozen.
        if block == block_drawing.HEAD:
            after = FreezePlan("all")
        else:
            after = freeze_edits.after_click(resolved, block, only)
        adopt(structure.backbone, str(after))

    only = st.segmented_control(
        "A click on a block", list(CLICKS), required=True, default=False,
        format_func=CLICKS.__getitem__, key="click", persist_state="session",
    )  # fmt: skip
    block_drawing.draw(resolved, bool(only), turn_over)
    places = _show_sum(resolved, head)
    # What comes and goes has a place of its own: folds that move on the page close.
    with st.container():
        lessons.warn(resolved, images, head)
    with st.expander(f"The {len(structure.blocks)} blocks, from pixels to head"):
        layer_table.show_blocks(resolved, turn_over)
    with st.expander("Single layers"):
        layer_table.show_layers(base, _table_key(structure.backbone))
    return resolved, places


def _editing(backbone: str) -> _Edited:
    kept: _Edited = st.session_state.setdefault(f"freeze-{backbone}", _Edited())
    return kept


def _table_key(backbone: str) -> str:
    return f"layers-{backbone}-{_editing(backbone).made}"


def _plan_of_table(structure: Structure) -> Resolved:
    """The plan from which the table of layers was last made: what was adopted last."""
    backbone, kept = structure.backbone, _editing(structure.backbone)
    if _table_key(backbone) not in st.session_state and kept.plan != kept.base:
        adopt(backbone, kept.plan)  # another page has made the table forget its ticks
    try:
        return FreezePlan.parse(kept.base).resolve(structure)
    except FreezeError as error:  # settings of another backbone were loaded
        says = f"{error.message} Everything is frozen instead."
        st.warning(shell.escape(says))
        adopt(backbone, "all")
        return FreezePlan("all").resolve(structure)


def _plan_now(base: Resolved) -> Resolved:
    """The plan that was adopted last, with what was ticked in the table since."""
    backbone = base.structure.backbone
    # The table is drawn far below but was ticked before this run: so it is read here.
    ticked = layer_table.layers_ticked(base, _table_key(backbone))
    now = base
    if ticked != base.trains:
        now = freeze_edits.shortest_plan(base.structure, ticked).resolve(base.structure)
    _editing(backbone).plan = str(now.plan)
    return now


def _show_presets(resolved: Resolved) -> None:
    structure = resolved.structure
    known = {
        "all": FreezePlan("all"),
        "none": FreezePlan("none"),
        "last": freeze_edits.last_block(structure),
        "stage": freeze_edits.last_stage(structure),
    }
    # Each in its shortest words, so that the same layers are the same plan.
    shortest = freeze_edits.shortest_plan(structure, resolved.trains)
    now = next((name for name, plan in known.items() if plan == shortest), None)
    if now == "all" and st.session_state.get("method") == "instant":
        now = "instant"
    st.session_state["preset"] = now

    def take_preset() -> None:
        name = st.session_state["preset"]
        if name in ("instant", "all"):
            st.session_state["method"] = "instant" if name == "instant" else "train"
        if name:
            plan = known["all" if name == "instant" else name]
            adopt(structure.backbone, str(plan))

    # Where a stage is a single block, two presets would be the same.
    is_block = known["stage"] == known["last"]
    offered = [name for name in PRESETS if name != "stage" or not is_block]
    st.segmented_control(
        "What trains", offered, format_func=PRESETS.__getitem__,
        help=HELP, key="preset", on_change=take_preset,
    )  # fmt: skip


def _show_sum(resolved: Resolved, head: int) -> Any:
    """What the plan adds up to; places for the seconds of an epoch and for the disk."""
    # With the head, as everywhere that parameters are counted for a user.
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
