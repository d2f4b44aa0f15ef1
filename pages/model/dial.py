"""What trains, as one dial: from a backbone that stays as it is to all of it."""

import streamlit as st

from pages.model import freeze_editor
from pages.shared import shell
from pages.shared.words import spoken
from transfer.backbones import freeze_edits
from transfer.backbones.freezing import FreezePlan, Resolved, in_words
from transfer.backbones.structure import Structure

#: What each position is called, and what it does, in words for who trains for the first
#: time. The first sets no plan: it takes another method.
SAYS = {
    "source": "The source model as it is, its head included: for classes that are "
    "named as ImageNet's. Nothing is learnt.",
    "instant": "The backbone keeps all that it knows, and the head is computed in one "
    "step, in closed form: it takes seconds.",
    "all": "The backbone keeps all that it knows, and a new head learns from your "
    "{images}: quick, and hard to spoil with few {images}.",
    "last": "The head learns first, then the last block with it.",
    "stage": "The head learns first, then the last blocks with it: they name what is "
    "in a {picture}. Slower, and often better.",
    "none": "The head learns first, then all of the backbone with it: the slowest, for "
    "many {images} or {pictures} of another kind.",
}
#: In their place where nothing is transferred.
RANDOM = (
    "The backbone is of random numbers and knows nothing: what trains has "
    "your {images} alone to learn from."
)
METHODS = {"source": "source", "instant": "instant"}
TITLES = {
    "source": "As it is",
    "instant": "Instant",
    "all": "Head only",
    "none": "Everything",
}
HELP = (
    "From left to right more of the network learns from your {images}. A click in the "
    "drawing makes any other choice."
)


def show(resolved: Resolved, expert: bool, weights: str) -> None:
    """The dial, and what its position means.

    Args:
        resolved: The plan that is chosen.
        expert: Whether the source model itself is offered too.
        weights: Where those of the backbone come from.
    """
    plans = _plans(resolved.structure)
    now = st.session_state["dial"] = position(resolved, plans)
    offered = [one for one in plans if one != "source" or expert or now == one]

    def turn() -> None:
        if name := st.session_state["dial"]:
            method = METHODS.get(name, "train")
            freeze_editor.adopt(resolved.structure.backbone, str(plans[name]), method)

    st.segmented_control(
        "What trains",
        offered,
        format_func=lambda one: (
            TITLES.get(one) or in_words(str(plans[one])).capitalize()
        ),
        help=spoken().fill(HELP),
        key="dial",
        on_change=turn,
    )
    own = f"A choice of your own: {in_words(str(resolved.plan))}."
    says = RANDOM if weights == "random" else SAYS.get(now or "")
    st.caption(spoken().fill(says) if says else shell.escape(own))


def position(resolved: Resolved, plans: dict[str, FreezePlan]) -> str | None:
    """Where the dial stands; none where the plan is one of its user's own."""
    method = freeze_editor.method()
    if method != "train":
        return method
    # In its shortest words, so that the same layers are the same plan.
    now = freeze_edits.shortest_plan(resolved.structure, resolved.trains)
    return next((n for n, p in plans.items() if p == now and n not in METHODS), None)


def _plans(structure: Structure) -> dict[str, FreezePlan]:
    """The plan of each position, from left to right."""
    plans = dict.fromkeys(("source", "instant", "all"), FreezePlan("all"))
    plans["last"] = freeze_edits.last_block(structure)
    stage, everything = freeze_edits.last_stage(structure), FreezePlan("none")
    # Where a stage is a single block or all of them, two positions would be the same.
    if stage not in (plans["last"], everything):
        plans["stage"] = stage
    return plans | {"none": everything}
