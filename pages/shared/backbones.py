"""The choice of a backbone and of its weights, with the facts that decide it."""

from typing import Any

import streamlit as st

from transfer.backbones import catalogue, weights
from transfer.backbones.catalogue import Backbone
from transfer.config import TrainConfig

SOURCES = {"imagenet": "ImageNet", "random": "Random (no transfer)"}


def choose(place: Any) -> Backbone:
    """The backbone, with its facts below."""
    names = list(catalogue.BACKBONES)
    name = place.selectbox(
        "Backbone",
        names,
        names.index(catalogue.DEFAULT),
        format_func=lambda one: catalogue.get(one).title,
        help=TrainConfig.model_fields["backbone"].description,
        key="backbone",
    )
    backbone = catalogue.get(name)
    top_1 = backbone.imagenet_top_1
    facts = [
        f"{backbone.parameters / 1e6:.1f} M parameters",
        f"about {backbone.file_size / 1e6:.0f} MB",
        f"{backbone.native_size} px by default",
        f"ImageNet top-1 {top_1:.1%}" if top_1 else "no published top-1",
        f"weights: {backbone.licence}",
    ]
    place.caption(" · ".join(facts))
    return backbone


def choose_weights(place: Any, backbone: Backbone) -> str:
    """Where the weights come from, and what to do if they are not here."""
    source = place.segmented_control(
        "Weights",
        list(SOURCES),
        default="imagenet",
        required=True,
        format_func=SOURCES.get,
        help=TrainConfig.model_fields["weights"].description,
        key="weights",
    )
    if source == "imagenet" and not weights.is_at_hand(backbone):
        _show_missing(backbone)
    return str(source)


def _show_missing(backbone: Backbone) -> None:
    """Says that the weights must be fetched, and what to do without a network."""
    path = weights.weights_file(backbone)
    others = [b.title for b in catalogue.BACKBONES.values() if weights.is_at_hand(b)]
    here = f", or a backbone whose weights are here: {', '.join(others)}" * bool(others)
    st.warning(
        f"The ImageNet weights of {backbone.title} are not on this machine and are "
        f"downloaded when the run starts. Without internet, put the file `{path.name}` "
        f"into `{path.parent}`, or choose random weights{here}. Nothing is lost.",
        icon=":material/cloud_download:",
    )
