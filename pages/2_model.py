"""Model: a backbone, what of it is frozen, the settings, and the start of a run."""

from pathlib import Path
from typing import Any

import streamlit as st

from pages.model import (
    augmentation_preview,
    backbone_table,
    depths,
    dial,
    estimate,
    expert,
    form,
    freeze_editor,
    lessons,
    rank,
    rates,
    resizing,
    settings,
    source,
)
from pages.shared import drawn, handed, kept, room, session, shell, words
from transfer.backbones import structures
from transfer.backbones.freezing import head_parameters
from transfer.config import TrainConfig
from transfer.errors import TransferError
from transfer.runs import queue

PAGES = Path(__file__).parent


def datasets() -> list[str]:
    """Names of all datasets; the page ends here if there is none."""
    names = [one.dataset for one in session.datasets()]
    if not names:
        st.info(
            "No dataset yet. A model is trained on your own labelled examples: bring "
            "them first, or take a sample.",
            icon=":material/folder_open:",
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
handed.show()
names = datasets()
# Before any widget: Streamlit refuses to set one that was drawn already.
settings.from_address()
left, right = st.columns(2)
gone = "There is no dataset {}; choose another."
called = {"format_func": session.dataset_label}
dataset = kept.choose(left, "dataset", names, gone, **called)
chosen: dict[str, Any] = {"dataset": dataset}
backbone = source.choose_backbone(right, session.kind(dataset))
chosen |= {"backbone": backbone.name, "weights": source.chosen_weights()}
chosen["image_size"] = form.image_size(backbone)
try:
    # From here on all may fail in a way that a user can mend; what stands above stays.
    revision = session.load(chosen["dataset"])
    words.speak_of(revision.kind)
    structure = structures.read(backbone.name, chosen["image_size"])
    images = len(revision.of_split("train")), len(revision.of_split("val"))
    resolved, base = freeze_editor.resolve(structure)
    dial.show(resolved, expert.is_on(), chosen["weights"])
    freeze_editor.draw(resolved)
    freeze, method = str(resolved.plan), freeze_editor.method()
    chosen |= {"freeze": freeze, **form.settings(method, revision.kind)}
    # Checked as a whole here, before what it will take is estimated from it.
    config = TrainConfig.of(**chosen, revision=revision.id)
    # After they were checked: the address would else keep what cannot be.
    settings.to_address(chosen)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Start training", type="primary", icon=":material/play_arrow:"):
            # The supervisor starts it; the page only leaves it in the queue.
            name = st.session_state.get("name", "")
            run = queue.submit(session.store(), config, name)
            st.switch_page(PAGES / "3_runs.py", query_params={"run": run.id})
        takes = estimate.show(config, resolved, images)
        expert.switch()
    room.show("queued", "hours", "disk")
    head = head_parameters(config.head, structure, len(revision.class_names))
    # What comes and goes has a place of its own: folds that move on the page close.
    with st.container():
        source.show_missing(backbone)
        lessons.warn(resolved, images[0], head)
    lessons.explain(resolved, chosen["weights"], head)
    if not expert.is_on():
        settings.tell_changes(chosen)
        st.stop()
    st.header("Backbone", anchor=False)
    left, right = st.columns(2)
    source.choose_weights(left)
    form.show_image_size(right, backbone)
    pixels = chosen["image_size"] or backbone.native_size
    with st.container():
        if revision.kind == "images":
            resizing.show(revision, pixels)
        drawn.show(revision)
    backbone_table.show(use, revision.kind)
    rank.show(revision, backbone.name, chosen["weights"], config.resizing, use)
    estimate.offer_measuring(config, takes)
    st.header("What is frozen", anchor=False)
    freeze_editor.show_more(resolved, base, head, takes)
    depths.show(revision, config)
    st.header("Training", anchor=False)
    settings.choose_effort()
    form.show(method, freeze, revision.kind)
    with st.container():
        if config.augmentations:
            augmentation_preview.show(revision, pixels, config)
    with st.container():
        rates.show(config)
    st.header("This run", anchor=False)
    st.text_input("Name of the run", placeholder="Left empty, it gets one", key="name")
    with st.expander("The command line that does the same"):
        line = form.command_line(chosen, st.session_state["name"])
        st.code(line, language="bash", wrap_lines=True)
    with st.container(horizontal=True):
        settings.load()
        settings.save(config)
except TransferError as error:
    shell.show_error(error)
