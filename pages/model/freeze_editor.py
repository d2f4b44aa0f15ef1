"""The freeze editor: one plan behind the dial, a drawing, toggles and a table."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.model import block_drawing, layer_table
from pages.shared import amounts, shell
from pages.shared.words import spoken
from transfer import workspace
from transfer.backbones import freeze_edits
from transfer.backbones.freezing import FreezePlan, Resolved
from transfer.backbones.structure import Structure
from transfer.errors import FreezeError
from transfer.runs.estimates import Estimate

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


def method() -> str:
    """How the head is made, as `TrainConfig.method`."""
    return str(st.session_state.get("method", "train"))


def adopt(backbone: str, plan: str, method: str = "train") -> None:
    """Makes this the plan of a backbone, whatever was chosen before."""
    kept = _editing(backbone)
    kept.plan = kept.base = plan
    # Another key is another table: its ticks belong to the plan before.
    kept.made += 1
    st.session_state["method"] = method


def resolve(structure: Structure) -> tuple[Resolved, Resolved]:
    """The plan that is chosen, and that from which the table of layers was made."""
    base = _plan_of_table(structure)
    resolved = _plan_now(base)
    # Another backbone may have come, with another plan.
    if resolved.trains:
        st.session_state["method"] = "train"
    return resolved, base


def turning_over(resolved: Resolved) -> Callable[[str, bool], None]:
    """What a click on a block, or a toggle, does to this plan."""

    def turn_over(block: str, only: bool) -> None:
        # The head has no block to turn over; a click on it is the way back to all
        # frozen.
        if block == block_drawing.HEAD:
            after = FreezePlan("all")
        else:
            after = freeze_edits.after_click(resolved, block, only)
        adopt(resolved.structure.backbone, str(after))

    return turn_over


def draw(resolved: Resolved) -> None:
    """The drawing."""
    only = bool(st.session_state.get("click", False))
    block_drawing.draw(resolved, only, turning_over(resolved))


def show_more(resolved: Resolved, base: Resolved, head: int, takes: Estimate) -> None:
    """All else that there is to the plan, for experts.

    Args:
        resolved: The plan.
        base: That from which the table of layers was made.
        head: Number of parameters of the head, which always train.
        takes: What the run will take.
    """
    _show_sum(resolved, head, takes)
    st.segmented_control(
        "A click on a block in the drawing", list(CLICKS), required=True, default=False,
        format_func=CLICKS.__getitem__, key="click", persist_state="session",
    )  # fmt: skip
    count = len(resolved.structure.blocks)
    with st.expander(f"The {count} blocks, from {spoken().pixels} to head"):
        layer_table.show_blocks(resolved, turning_over(resolved))
    with st.expander("Single layers"):
        layer_table.show_layers(base, _table_key(resolved.structure.backbone))


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


def _show_sum(resolved: Resolved, head: int, takes: Estimate) -> None:
    """What the plan adds up to."""
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
        one_epoch = f"about {amounts.about(takes.epoch_seconds)}"
        st.metric("One epoch", one_epoch, width="content")
        disk = workspace.amount(takes.disk_bytes)
        st.metric("On disk", disk, width="content")
    shape = " × ".join(map(str, resolved.cut.shape))
    st.caption(
        f"The new head's {head:,} parameters always train and are among these. At the "
        f"cut, each {spoken().image} is {shape} numbers."
    )
