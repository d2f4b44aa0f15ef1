"""Model: a backbone, what of it is frozen, the settings, and the start of a run."""

from pathlib import Path
from typing import Any

import streamlit as st

from pages.model import (
    augmentation_preview,
    backbone_table,
    depths,
    estimate,
    form,
    freeze_editor,
    rank,
    rates,
    settings,
)
from pages.shared import kept, session, shell
from transfer.backbones import catalogue, weights
from transfer.backbones.catalogue import Backbone
from transfer.backbones.freezing import head_parameters
from transfer.config import TrainConfig, explained
from transfer.datasets import library
from transfer.errors import TransferError
from transfer.runs import queue

PAGES = Path(__file__).parent
SOURCES = {
    "imagenet": "ImageNet",
    "starter": "Tiny ImageNet",
    "random": "Random (no transfer)",
}


def datasets() -> list[str]:
    """Names of all datasets; the page ends here if there is none."""
    names = [one.dataset for one in library.list_datasets()]
    if not names:
        st.info(
            "No dataset yet. A model is trained on your own labelled images: bring "
            "them first, or take a sample.",
            icon=":material/photo_library:",
        )
        st.page_link(
            PAGES / "1_data.py", label="Bring data", icon=":material/arrow_forward:"
        )
        st.stop()
    return names


def choose_backbone(place: Any) -> Backbone:
    """The backbone, with its facts below."""
    first = weights.default_backbone()
    st.session_state.setdefault("backbone", first)
    name = place.selectbox(
        "Backbone",
        list(catalogue.BACKBONES),
        format_func=weights.title_and_place,
        help=explained("backbone"),
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


def choose_weights(place: Any, backbone: Backbone) -> str:
    """Where the weights come from, and what to do if they are not here."""
    options = [backbone.pretrained, "random"]
    if st.session_state.get("weights") not in options:
        st.session_state["weights"] = backbone.pretrained
    source = place.segmented_control(
        "Weights",
        options,
        required=True,
        format_func=SOURCES.get,
        help=explained("weights", {one: SOURCES[one] for one in options}),
        key="weights",
        persist_state="session",
    )
    with st.container():
        if source != "random" and not weights.is_at_hand(backbone):
            show_missing(backbone)
    return str(source)


def show_missing(backbone: Backbone) -> None:
    """Says that the weights must be fetched, and what to do without a network."""
    path = weights.weights_file(backbone)
    others = [b.title for b in catalogue.BACKBONES.values() if weights.is_at_hand(b)]
    here = ", ".join(others)
    st.info(
        f"The ImageNet weights of {backbone.title} are not on this machine and are "
        f"downloaded when the run starts. Without internet, put the file `{path.name}` "
        f"into `{path.parent}`, or choose a backbone whose weights are here ({here}), "
        "or random weights.",
        icon=":material/cloud_download:",
    )


def use(name: str) -> None:
    """Makes this the backbone that is chosen."""
    st.session_state["backbone"] = name


shell.begin_page("Model", "Choose what to reuse, and how much of it learns on.")
names = datasets()
settings.from_address()
settings.load()
left, right = st.columns(2)
gone = "There is no dataset {}; choose another."
chosen: dict[str, Any] = {"dataset": kept.choose(left, "dataset", names, gone)}
backbone = choose_backbone(right)
left, right = st.columns(2)
chosen["backbone"] = backbone.name
chosen["weights"] = choose_weights(left, backbone)
chosen["image_size"] = form.image_size(right, backbone)
backbone_table.show(use)
try:
    revision = library.load(chosen["dataset"])
    rank.show(revision, backbone.name, chosen["weights"], use)
    st.header("What is frozen", anchor=False)
    with st.spinner("Reading the backbone's blocks …"):
        structure = session.inference().structure(backbone.name, chosen["image_size"])
    images = len(revision.of_split("train")), len(revision.of_split("val"))
    head = head_parameters(form.value_of("head"), structure, len(revision.class_names))
    resolved, places = freeze_editor.choose(
        structure, chosen["weights"], images[0], head
    )
    size, freeze = chosen["image_size"], str(resolved.plan)
    chosen["freeze"] = freeze
    class_weights = form.value_of("class_weights")
    depths.show(revision, backbone.name, chosen["weights"], size, freeze, class_weights)
    st.header("Training", anchor=False)
    settings.dial()
    chosen |= form.settings(freeze)
    with st.container():
        if chosen.get("augmentation", "none") != "none":
            pixels = size or backbone.native_size
            augmentation_preview.show(revision, pixels, chosen["augmentation"])
    config = TrainConfig.checked(**chosen, revision=revision.id)
    settings.to_address(chosen)
    with st.container():
        rates.show(config)
    name = st.text_input("Name of the run", placeholder="Left empty, it gets one")
    with st.expander("The command line that does the same"):
        st.code(form.command_line(chosen, name), language="bash", wrap_lines=True)
    estimate.show(config, resolved, images, places)
    with st.container(horizontal=True):
        if st.button("Start training", type="primary", icon=":material/play_arrow:"):
            run = queue.submit(session.store(), config, name)
            st.switch_page(PAGES / "3_runs.py", query_params={"run": run.id})
        settings.save(config)
except TransferError as error:
    shell.show_error(error)
