"""Forms that are made from data: settings of a run, blocks of a backbone."""

import html
import shlex
from typing import Any

import annotated_types
import streamlit as st

from transfer.backbones.catalogue import Backbone
from transfer.backbones.structure import Layer, Structure
from transfer.config import TrainConfig
from transfer.freezing import FreezePlan, trainable_blocks

#: The theme's blue and orange, legible on light and dark: cold is frozen, warm trains.
FROZEN, TRAINS = "#2f74b5", "#d9701f"

PRESETS = {
    "all": "Head only (parameter sharing)",
    "last": "Last blocks train",
    "blocks": "Choose blocks",
    "none": "Everything trains",
}
LABELS = {
    "head": "Head",
    "head_epochs": "Epochs of the head phase",
    "learning_rate": "Learning rate of the head phase",
    "fine_tune_epochs": "Epochs of the fine-tuning phase",
    "fine_tune_learning_rate": "Learning rate of the fine-tuning phase",
    "batch_size": "Batch size",
    "seed": "Seed",
}


def image_size(place: Any, backbone: Backbone) -> int | None:
    """Height and width in pixels; None is the backbone's own."""
    field = TrainConfig.model_fields["image_size"]
    low = _limit(field, annotated_types.Ge, "ge")
    size = place.number_input(
        "Image size in pixels",
        value=backbone.native_size,
        min_value=max(low, backbone.smallest_size),
        max_value=_limit(field, annotated_types.Le, "le"),
        help=field.description,
        key=f"image_size-{backbone.name}",
    )
    return None if size == backbone.native_size else int(size)


def settings(fine_tunes: bool) -> dict[str, Any]:
    """The settings as they are chosen, by field name of `TrainConfig`.

    Args:
        fine_tunes: Whether there is a fine-tuning phase to be set.
    """
    columns = st.columns(2)
    return {
        name: _field(
            name,
            columns[index % 2],
            disabled=name.startswith("fine_tune") and not fine_tunes,
        )
        for index, name in enumerate(LABELS)
    }


def _field(name: str, place: Any, disabled: bool) -> Any:
    field = TrainConfig.model_fields[name]
    shared = {"label": LABELS[name], "help": field.description, "key": name}
    if name == "head":
        return place.selectbox(options=["linear", "dense1024"], **shared)
    high = _limit(field, annotated_types.Le, "le")
    limits: dict[str, Any] = {
        "min_value": _limit(field, annotated_types.Ge, "ge"),
        "max_value": high,
    }
    if isinstance(field.default, float):
        # Above 0 is the field's own limit; a number box knows only "at least".
        limits = {"min_value": 1e-7, "max_value": float(high), "format": "%g"}
        limits["step"] = field.default / 10
    return place.number_input(
        value=field.default, disabled=disabled, **limits, **shared
    )


def _limit(field: Any, kind: type, name: str) -> Any:
    for one in field.metadata:
        if isinstance(one, kind):
            return getattr(one, name)
    return None


def freezing(structure: Structure) -> str:
    """The freeze plan that is chosen, in the words of the command line."""
    blocks = trainable_blocks(structure)
    st.session_state.setdefault("preset", "all")
    preset = st.segmented_control(
        "What trains",
        list(PRESETS),
        required=True,
        format_func=PRESETS.get,
        help=TrainConfig.model_fields["freeze"].description,
        key="preset",
    )
    keys = {name: f"trains-{structure.backbone}-{name}" for name in blocks}
    plan = str(preset)
    if preset == "last":
        label, key = "Number of blocks that train", f"last-{structure.backbone}"
        plan = f"last:{st.slider(label, 1, len(blocks), 1, key=key)}"
    elif preset == "blocks":
        chosen = [name for name in blocks if st.session_state.get(keys[name])]
        plan = f"blocks:{','.join(chosen)}" if chosen else "all"
    trains = set(FreezePlan.parse(plan).resolve(structure).trainable_layers)
    _show_strip(structure, trains)
    with st.expander(f"{len(structure.blocks)} blocks", expanded=preset == "blocks"):
        for name, layers in structure.blocks.items():
            if preset != "blocks" and name in keys:
                on = any(layer.name in trains for layer in layers)
                st.session_state[keys[name]] = on
            _show_block(name, layers, keys.get(name))
    return plan


def _choose_blocks() -> None:
    """Turning one block over starts from the preset's blocks and leaves the preset."""
    st.session_state["preset"] = "blocks"


def _show_block(name: str, layers: tuple[Layer, ...], key: str | None) -> None:
    """One block: a toggle if it can train, its parameters and its layers."""
    toggle, state, size, fold = st.columns([3, 2, 2, 2], vertical_alignment="center")
    if key:
        toggle.toggle(name, key=key, on_change=_choose_blocks)
    else:
        toggle.markdown(f":gray[{name}]")
    if key and st.session_state[key]:
        state.badge("trains", icon=":material/local_fire_department:", color="orange")
    else:
        state.badge("frozen", icon=":material/ac_unit:", color="blue")
    size.caption(f"{sum(layer.parameters for layer in layers):,} parameters")
    with fold.popover(f"{len(layers)} layers", type="tertiary"):
        width = max(len(layer.kind) for layer in layers)
        lines = (f"{layer.kind:<{width}}  {layer.name}" for layer in layers)
        st.code("\n".join(lines), language=None)


def _show_strip(structure: Structure, trains: set[str]) -> None:
    """The backbone from pixels to head, one cell for each block, cold or warm."""
    blocks = {
        name: any(layer.name in trains for layer in layers)
        for name, layers in structure.blocks.items()
    }
    cells = [
        f'<div title="{html.escape(name)}: {"trains" if on else "frozen"}" '
        f'style="flex:1;background:{TRAINS if on else FROZEN}"></div>'
        for name, on in {**blocks, "head": True}.items()
    ]
    says = f"{sum(blocks.values())} of {len(blocks)} blocks train, and the head"
    st.html(
        f'<div role="img" aria-label="{says}" style="display:flex;gap:2px;height:1rem;'
        f'border-radius:.3rem;overflow:hidden">{"".join(cells)}</div>'
        '<div style="display:flex;justify-content:space-between;font-size:.8rem;'
        f'opacity:.75;margin-top:.25rem"><span>pixels</span><span>{says}</span>'
        "<span>head</span></div>"
    )


def command_line(chosen: dict[str, Any], run: str = "") -> str:
    """What to type to start the same run, called `run`."""
    words = ["python", "-m", "transfer", "train"]
    for name, value in chosen.items():
        field = TrainConfig.model_fields[name]
        if field.is_required() or value != field.default:
            words += ["--" + name.replace("_", "-"), str(value)]
    return shlex.join([*words, "--name", run] if run else words)
