"""Forms that are made from data: settings of a run, blocks of a backbone."""

import shlex
from collections import Counter
from typing import Any

import annotated_types
import streamlit as st

from transfer.backbones.catalogue import Backbone
from transfer.backbones.structure import Layer
from transfer.config import TrainConfig

LABELS = {
    "head": "Head",
    "head_epochs": "Epochs of the head phase",
    "fine_tune_epochs": "Epochs of the fine-tuning phase",
    "batch_size": "Batch size",
    "learning_rate": "Learning rate of the head phase",
    "fine_tune_learning_rate": "Learning rate of the fine-tuning phase",
    "image_size": "Image size in pixels",
    "seed": "Seed",
}


def settings(backbone: Backbone) -> dict[str, Any]:
    """The settings as they are chosen, by field name of `TrainConfig`."""
    st.subheader("Settings", anchor=False)
    columns = st.columns(2)
    return {
        name: _field(name, columns[index % 2], backbone)
        for index, name in enumerate(LABELS)
    }


def _field(name: str, place: Any, backbone: Backbone) -> Any:
    field = TrainConfig.model_fields[name]
    shared = {"label": LABELS[name], "help": field.description}
    if name == "head":
        return place.selectbox(options=["linear", "dense1024"], key=name, **shared)
    low = _limit(field, annotated_types.Ge, "ge") or 0
    high = _limit(field, annotated_types.Le, "le")
    if name == "image_size":
        return place.number_input(
            value=backbone.native_size,
            min_value=max(low, backbone.smallest_size),
            max_value=high,
            key=f"image_size-{backbone.name}",
            **shared,
        )
    if isinstance(field.default, float):
        return place.number_input(
            value=field.default,
            min_value=1e-7,
            max_value=float(high),
            step=field.default / 10,
            format="%g",
            key=name,
            **shared,
        )
    return place.number_input(
        value=field.default, min_value=low, max_value=high, key=name, **shared
    )


def _limit(field: Any, kind: type, name: str) -> Any:
    for one in field.metadata:
        if isinstance(one, kind):
            return getattr(one, name)
    return None


def block_row(
    name: str, layers: tuple[Layer, ...], trains: set[str], toggles: bool
) -> None:
    """One block: its state, its parameters and its layers; a toggle if wanted."""
    parameters = sum(layer.parameters for layer in layers)
    state, size, kinds = st.columns([2, 1, 3], vertical_alignment="center")
    if toggles and parameters:
        state.toggle(name, key=f"trains-{name}")
    elif any(layer.name in trains for layer in layers):
        state.markdown(f":orange-badge[:material/local_fire_department: {name}]")
    else:
        state.markdown(f":blue-badge[:material/ac_unit: {name}]")
    size.caption(f"{parameters:,} parameters")
    counts = Counter(layer.kind for layer in layers)
    with kinds.popover(f"{len(layers)} layers", type="tertiary"):
        st.caption(" · ".join(f"{n} {kind}" for kind, n in counts.items()))
        st.code("\n".join(layer.name for layer in layers), language=None)


def command_line(chosen: dict[str, Any]) -> str:
    """What to type to start the same run."""
    words = ["python", "-m", "transfer", "train"]
    for name, value in chosen.items():
        field = TrainConfig.model_fields[name]
        if field.is_required() or value != field.default:
            words += ["--" + name.replace("_", "-"), str(value)]
    return shlex.join(words)
