"""Model: a backbone, what of it is frozen, the settings, and the start of a run."""

from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared import forms, session, shell
from transfer.backbones import catalogue, weights
from transfer.backbones.structure import Structure
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.errors import TransferError
from transfer.freezing import FreezePlan, trainable_blocks

PAGES = Path(__file__).parent
PRESETS = {
    "all": "Head only (parameter sharing)",
    "last": "Last blocks train",
    "blocks": "Choose blocks",
    "none": "Everything trains",
}
EXPLAINED = """
**Parameter sharing**: the backbone keeps the source's parameters as they are, and only
a new head learns. Quick, and hard to spoil with few images.

**Feature sharing**: some parameters stay frozen, others go on learning from your
images. Early blocks see edges and textures, which suit most pictures; late blocks see
what the source task was about, so unfreeze from the end.

Training minimises L(θ) = E[ℓ(y, f_θ(x))] over the θ that is not frozen.
"""


def choose_dataset() -> str:
    """The dataset's name; the page ends here if there is none."""
    names = [one.dataset for one in library.list_datasets()]
    if not names:
        st.info(
            "No dataset yet. A model is trained on your own labelled images: bring "
            "them first.",
            icon=":material/photo_library:",
        )
        st.page_link(PAGES / "1_data.py", label="Bring data")
        st.stop()
    asked = st.query_params.get("dataset")
    chosen = st.selectbox("Dataset", names, names.index(asked) if asked in names else 0)
    st.query_params["dataset"] = chosen
    return str(chosen)


def choose_backbone() -> tuple[catalogue.Backbone, str]:
    """The backbone and where its weights come from."""
    names = list(catalogue.BACKBONES)
    name = st.selectbox(
        "Backbone",
        names,
        names.index(catalogue.DEFAULT),
        format_func=lambda one: catalogue.get(one).title,
        help=TrainConfig.model_fields["backbone"].description,
        key="backbone",
    )
    backbone = catalogue.get(name)
    top_1 = backbone.imagenet_top_1
    st.caption(
        f"{backbone.parameters / 1e6:.1f} M parameters · "
        f"{backbone.file_size / 1e6:.0f} MB · {backbone.native_size} px · "
        + (f"ImageNet top-1 {top_1:.1%} · " if top_1 else "")
        + f"weights: {backbone.licence}"
    )
    source = st.segmented_control(
        "Weights",
        ["imagenet", "random"],
        default="imagenet",
        required=True,
        format_func={"imagenet": "ImageNet", "random": "Random (no transfer)"}.get,
        help=TrainConfig.model_fields["weights"].description,
        key="weights",
    )
    if source == "imagenet" and not weights.is_at_hand(backbone):
        show_missing(backbone)
    return backbone, str(source)


def show_missing(backbone: catalogue.Backbone) -> None:
    """Says that the weights must be fetched, and what to do without a network."""
    path = weights.weights_file(backbone)
    others = [n for n, one in catalogue.BACKBONES.items() if weights.is_at_hand(one)]
    at_hand = f" On this machine: {', '.join(others)}." if others else ""
    st.warning(
        f"These weights are not on this machine yet and are downloaded when the run "
        f"starts. Without internet, put the file `{path.name}` into `{path.parent}`, "
        f"or choose other weights.{at_hand}",
        icon=":material/cloud_download:",
    )


def choose_freezing(structure: Structure) -> str:
    """The freeze plan in the words of the command line."""
    blocks = trainable_blocks(structure)
    preset = st.segmented_control(
        "What trains",
        list(PRESETS),
        default="all",
        required=True,
        format_func=PRESETS.get,
        key="preset",
    )
    if preset == "last":
        count = st.slider("Number of blocks that train", 1, len(blocks), 1, key="last")
        plan = f"last:{count}"
    elif preset == "blocks":
        chosen = [b for b in blocks if st.session_state.get(f"trains-{b}")]
        plan = f"blocks:{','.join(chosen)}" if chosen else "all"
    else:
        plan = str(preset)
    trains = set(FreezePlan.parse(plan).resolve(structure).trainable_layers)
    with st.expander(f"{len(structure.blocks)} blocks", expanded=preset == "blocks"):
        for name, layers in structure.blocks.items():
            forms.block_row(name, layers, trains, toggles=preset == "blocks")
    show_sum(plan, structure)
    return plan


def show_sum(plan: str, structure: Structure) -> None:
    """What the plan adds up to."""
    resolved = FreezePlan.parse(plan).resolve(structure)
    cut = resolved.cut
    trainable, frozen, where = st.columns([1, 1, 2])
    trainable.metric("Trainable parameters", f"{resolved.trainable_parameters:,}")
    frozen.metric("Frozen parameters", f"{resolved.frozen_parameters:,}")
    shape = " × ".join(map(str, cut.shape))
    where.metric("Cut after", cut.layer, help="Below it, all is frozen.")
    st.caption(
        f"Of the backbone; the new head always trains. Features at the cut: {shape} "
        "per image, computed once and kept."
    )


def start(settings: dict[str, Any], name: str) -> None:
    """Queues the run and opens its page."""
    try:
        revision = library.load(settings["dataset"])
        config = TrainConfig.checked(**settings, revision=revision.id)
        run = session.store().create(config, name)
    except TransferError as error:
        shell.show_error(error)
        return
    st.switch_page(PAGES / "3_runs.py", query_params={"run": run.id})


shell.begin_page("Model", "Choose what to reuse, and how much of it learns on.")
dataset = choose_dataset()
backbone, source = choose_backbone()
with st.expander("Parameter sharing or feature sharing?"):
    st.markdown(EXPLAINED)
settings = forms.settings(backbone)
try:
    with st.spinner("Reading the backbone's blocks …"):
        structure = session.inference().structure(backbone.name, settings["image_size"])
except TransferError as error:
    shell.show_error(error)
    st.stop()
st.subheader("Freezing", anchor=False)
plan = choose_freezing(structure)
settings |= {
    "dataset": dataset,
    "backbone": backbone.name,
    "weights": source,
    "freeze": plan,
}
name = st.text_input("Name of the run", placeholder=f"{dataset} · {backbone.name}")
with st.expander("The command line that does the same"):
    st.code(forms.command_line(settings), language="bash", wrap_lines=True)
if st.button("Start training", type="primary", icon=":material/play_arrow:"):
    start(settings, name)
