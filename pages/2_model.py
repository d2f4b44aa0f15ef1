"""Model: a backbone, what of it is frozen, the settings, and the start of a run."""

from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared import backbones, forms, freezing, runs, session, shell
from transfer import estimates
from transfer.backbones.structure import Structure
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.errors import TransferError
from transfer.freezing import FreezePlan, Resolved

PAGES = Path(__file__).parent
EXPLAINED = """
**Parameter sharing**: the backbone keeps the parameters that it learnt on ImageNet, and
only a new head learns. Quick, and hard to spoil with few images.

**Feature sharing**: some parameters stay frozen, the others go on learning from your
images. Early blocks see edges and textures, which suit most pictures; late blocks see
what the old task was about, so unfreeze from the end.

Either way training minimises L(θ) = E[ℓ(y, f_θ(x))] over the θ that is not frozen.
"""


def choose_dataset(place: Any) -> str:
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
    if asked and asked not in names:
        st.warning(f"There is no dataset {asked}; choose another.")
    chosen = place.selectbox(
        "Dataset", names, names.index(asked) if asked in names else 0
    )
    st.query_params["dataset"] = chosen
    return str(chosen)


def show_sum(resolved: Resolved) -> None:
    """What the plan adds up to."""
    trainable, frozen, cut = st.columns([1, 1, 2])
    trainable.metric("Trainable parameters", f"{resolved.trainable_parameters:,}")
    frozen.metric("Frozen parameters", f"{resolved.frozen_parameters:,}")
    cut.metric("Cut after", resolved.cut.layer, help="All below it is frozen.")
    shape = " × ".join(map(str, resolved.cut.shape))
    st.caption(
        "These are the backbone's; the new head's parameters always train and are not "
        f"counted here. At the cut, each image becomes {shape} numbers, which are "
        "computed once and kept."
    )


def show_estimate(settings: dict[str, Any], structure: Structure) -> None:
    """What the run will take and which way it goes, before it starts."""
    try:
        config = TrainConfig.checked(**settings)
        revision = library.load(config.dataset)
        images = len(revision.of_split("train")), len(revision.of_split("val"))
        told = estimates.estimate(config, structure, images)
    except TransferError as error:
        shell.show_error(error)
        return
    rough = "" if told.measured else " (roughly)"
    st.markdown(
        f"**About {runs.duration(told.seconds)}**{rough} · "
        f"{told.disk_bytes / 1e6:,.0f} MB on disk · "
        f"{told.memory_bytes / 1e9:.1f} GB of memory"
    )
    st.caption(shell.escaped(told.why))
    if not told.measured and st.button(
        "Measure on this machine",
        icon=":material/speed:",
        help="Runs the backbone on one batch, for a better estimate; 5 to 30 seconds.",
    ):
        with st.spinner("Measuring …"):
            session.inference().measure(config.backbone, config.image_size)
        st.rerun()


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
left, right = st.columns(2)
chosen: dict[str, Any] = {"dataset": choose_dataset(left)}
backbone = backbones.choose(right)
chosen["backbone"] = backbone.name
chosen["weights"] = backbones.choose_weights(left, backbone)
chosen["image_size"] = forms.image_size(right, backbone)

st.subheader("What is frozen", anchor=False)
with st.expander("Parameter sharing or feature sharing?"):
    st.markdown(EXPLAINED)
try:
    with st.spinner("Reading the backbone's blocks …"):
        structure = session.inference().structure(backbone.name, chosen["image_size"])
except TransferError as error:
    shell.show_error(error)
    st.stop()
chosen["freeze"] = freezing.choose_plan(structure)
show_sum(FreezePlan.parse(chosen["freeze"]).resolve(structure))

st.subheader("Training", anchor=False)
chosen["method"] = forms.method(chosen["freeze"])
chosen |= forms.settings(chosen["method"], fine_tunes=chosen["freeze"] != "all")
show_estimate(chosen, structure)
name = st.text_input("Name of the run", placeholder="Left empty, it gets one")
with st.expander("The command line that does the same", icon=":material/terminal:"):
    st.code(forms.command_line(chosen, name), language="bash", wrap_lines=True)
if st.button("Start training", type="primary", icon=":material/play_arrow:"):
    start(chosen, name)
