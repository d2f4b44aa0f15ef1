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
    source,
)
from pages.shared import kept, session, shell
from transfer.backbones import structures
from transfer.backbones.freezing import head_parameters
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.errors import TransferError
from transfer.runs import queue

PAGES = Path(__file__).parent


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


def use(name: str) -> None:
    """Makes this the backbone that is chosen."""
    st.session_state["backbone"] = name


shell.begin_page("Model", "Choose what to reuse, and how much of it learns on.")
names = datasets()
# Both before any widget: Streamlit refuses to set one that was drawn already.
settings.from_address()
settings.load()
left, right = st.columns(2)
gone = "There is no dataset {}; choose another."
chosen: dict[str, Any] = {"dataset": kept.choose(left, "dataset", names, gone)}
backbone = source.choose_backbone(right)
left, right = st.columns(2)
chosen["backbone"] = backbone.name
chosen["weights"] = source.choose_weights(left, backbone)
chosen["image_size"] = form.image_size(right, backbone)
backbone_table.show(use)
try:
    # From here on all may fail in a way that a user can mend; what stands above stays.
    revision = library.load(chosen["dataset"])
    rank.show(revision, backbone.name, chosen["weights"], use)
    st.header("What is frozen", anchor=False)
    structure = structures.read(backbone.name, chosen["image_size"])
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
    # Checked as a whole here, before what it will take is estimated from it.
    config = TrainConfig.of(**chosen, revision=revision.id)
    # After they were checked: the address would else keep what cannot be.
    settings.to_address(chosen)
    with st.container():
        rates.show(config)
    name = st.text_input("Name of the run", placeholder="Left empty, it gets one")
    with st.expander("The command line that does the same"):
        st.code(form.command_line(chosen, name), language="bash", wrap_lines=True)
    estimate.show(config, resolved, images, places)
    with st.container(horizontal=True):
        if st.button("Start training", type="primary", icon=":material/play_arrow:"):
            revision.check_learnable()
            # The supervisor starts it; the page only leaves it in the queue.
            run = queue.submit(session.store(), config, name)
            st.switch_page(PAGES / "3_runs.py", query_params={"run": run.id})
        settings.save(config)
except TransferError as error:
    shell.show_error(error)
