"""The backbone drawn as its blocks, cold and warm; a click on one changes the plan."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.shared import amounts, component
from pages.shared.words import spoken
from transfer.backbones.freezing import Resolved, trainable_blocks

#: The theme's blue and orange, legible on light and dark: cold is frozen, warm trains.
FROZEN, TRAINS = "#2f74b5", "#d9701f"
HEAD = "head"
#: Where the dashed line stands, in words for who does not see it.
CUTS = {
    "cut": "; the cut is behind it",
    "cut before": "; the cut is before it",
    "cut inside": "; the cut is inside it",
}


def draw(resolved: Resolved, only: bool, clicked: Callable[[str, bool], None]) -> None:
    """The drawing.

    Args:
        resolved: The plan.
        only: Whether a click is meant for one block alone; with Shift it is the
            other way round.
        clicked: Called with the block's name (`HEAD` for the head) and `only`.
    """
    # Another component for another backbone: its blocks have other names.
    key = f"drawing-{resolved.structure.backbone}"

    def on_click() -> None:
        click = st.session_state[key].get("click")
        if click:
            clicked(click["block"], click["only"])

    what = "turns this block over" if only else "lets training start at this block"
    component.load(__file__)(
        key=key,
        data={
            "blocks": bars(resolved),
            "says": summary(resolved),
            "input": spoken().pixels,
            "hint": f"A click {what}; with Shift, "
            + ("training starts there." if only else "it turns that block alone over."),
            "only": only,
            "cold": FROZEN,
            "warm": TRAINS,
        },
        on_click_change=on_click,
    )


def summary(resolved: Resolved) -> str:
    """How many blocks train."""
    some, of = len(resolved.training_blocks), len(resolved.structure.blocks)
    if not some:
        return f"The head trains, all {of} blocks are frozen"
    return f"The head and {some} of {of} blocks train"


def bars(resolved: Resolved) -> list[dict[str, Any]]:
    """What is drawn of each block and the head, from pixels to the output."""
    trainable = trainable_blocks(resolved.structure)
    drawn: list[dict[str, Any]] = []
    for name, layers in resolved.structure.blocks.items():
        # Layers that cannot train say nothing of whether a block does.
        able = [layer.name in resolved.trains for layer in layers if layer.parameters]
        state = "trains" if able and all(able) else "part" if any(able) else "frozen"
        state = state if name in trainable else "empty"
        size = sum(layer.parameters + layer.statistics for layer in layers)
        words = {"part": "trains in part", "empty": "has nothing to train"}
        about = f"{name}: {amounts.count(size)} parameters, {words.get(state, state)}"
        cut = _cut(resolved, name)
        about += CUTS.get(cut, "")
        one = {"name": name, "parameters": size, "state": state, "about": about}
        drawn.append({**one, "cut": cut})
    about = "The new head: it always trains. A click freezes the whole backbone."
    head = {"name": HEAD, "parameters": 0, "state": "trains", "about": about}
    return [*drawn, {**head, "cut": ""}]


def _cut(resolved: Resolved, block: str) -> str:
    """Where the cut goes through this block, as a class of the style sheet."""
    layers = resolved.structure.layers
    # The drawing tells whether the cut lies at a block's edge or within it.
    own = [i for i, layer in enumerate(layers) if layer.block == block]
    if resolved.cut.index not in own:
        return ""
    if resolved.cut.index == 0:
        return "cut before"
    return "cut" if resolved.cut.index == own[-1] else "cut inside"
