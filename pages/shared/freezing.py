"""The freeze editor: presets, a toggle for each block, and a strip of cold and warm."""

import html

import streamlit as st

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


def choose_plan(structure: Structure) -> str:
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
