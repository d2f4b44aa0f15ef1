"""Which blocks of a backbone train: presets, a toggle for each block, and the sum."""

import html

import streamlit as st

from pages.shared import amounts
from transfer.backbones.structure import Layer, Structure
from transfer.config import TrainConfig
from transfer.freezing import FreezePlan, Resolved, trainable_blocks

#: The theme's blue and orange, legible on light and dark: cold is frozen, warm trains.
FROZEN, TRAINS = "#2f74b5", "#d9701f"

PRESETS = {
    "all": "Head only (parameter sharing)",
    "last": "Last blocks train",
    "blocks": "Choose blocks",
    "none": "Everything trains",
}
EXPLAINED = """
**Parameter sharing**: the backbone keeps the parameters that it learnt on ImageNet, and
only a new head learns. Quick, and hard to spoil with few images.

**Feature sharing**: some parameters stay frozen, the others go on learning from your
images. Early blocks see edges and textures, which suit most pictures; late blocks see
what the old task was about, so unfreeze from the end.

Either way training minimises L(θ) = E[ℓ(y, f_θ(x))] over the θ that is not frozen.
"""


def freezing(structure: Structure) -> str:
    """The freeze plan that is chosen, in the words of the command line."""
    with st.expander("Parameter sharing or feature sharing?"):
        st.markdown(EXPLAINED)
    st.session_state.setdefault("preset", "all")
    preset = st.segmented_control(
        "What trains",
        list(PRESETS),
        required=True,
        format_func=PRESETS.get,
        help=TrainConfig.model_fields["freeze"].description,
        key="preset",
        persist_state="session",
    )
    keys = {
        name: f"trains-{structure.backbone}-{name}"
        for name in trainable_blocks(structure)
    }
    plan = _plan(str(preset), structure, keys)
    resolved = FreezePlan.parse(plan).resolve(structure)
    trains = set(resolved.trainable_layers)
    _show_strip(structure, trains)
    _show_sum(resolved)
    title = f"The {len(structure.blocks)} blocks, from pixels to head"
    with st.expander(title, expanded=preset == "blocks"):
        _show_blocks(structure, keys, trains, follows=preset != "blocks")
    return plan


def _plan(preset: str, structure: Structure, keys: dict[str, str]) -> str:
    if preset == "last":
        label, key = "Number of blocks that train", f"last-{structure.backbone}"
        return f"last:{st.slider(label, 1, len(keys), 1, key=key)}"
    if preset == "blocks":
        chosen = [name for name, key in keys.items() if st.session_state.get(key)]
        return f"blocks:{','.join(chosen)}" if chosen else "all"
    return preset


def _show_blocks(
    structure: Structure, keys: dict[str, str], trains: set[str], follows: bool
) -> None:
    """A toggle for each block; while it `follows` a preset, it shows that one's."""
    st.caption(
        "A block that is switched on trains; the others stay frozen. Beside each "
        "stands its number of parameters."
    )
    with st.grid(min_column_width=190, gap=("xsmall", "medium")):
        for name, layers in structure.blocks.items():
            size = amounts.count(sum(layer.parameters for layer in layers))
            if name not in keys:
                st.markdown(f":gray[{name} :small[nothing to train]]")
                continue
            if follows:
                on = any(layer.name in trains for layer in layers)
                st.session_state[keys[name]] = on
            label = f"{name} :gray[:small[{size}]]"
            st.toggle(
                label, key=keys[name], on_change=_choose_blocks, persist_state="session"
            )
    _show_layers(structure.blocks)


def _choose_blocks() -> None:
    """Turning one block over starts from the preset's blocks and leaves the preset."""
    st.session_state["preset"] = "blocks"


def _show_layers(blocks: dict[str, tuple[Layer, ...]]) -> None:
    """The layers of one block, for who wants to know."""
    name = st.selectbox(
        "Layers of a block", list(blocks), index=None, placeholder="Choose a block"
    )
    if name in blocks:
        layers = blocks[name]
        width = max(len(layer.kind) for layer in layers)
        lines = (f"{one.kind:<{width}}  {one.name}" for one in layers)
        height = 300 if len(layers) > 12 else "content"
        st.code("\n".join(lines), language=None, height=height)


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


def _show_sum(resolved: Resolved) -> None:
    """What the plan adds up to."""
    trainable, frozen, cut = st.columns([1, 1, 2])
    trainable.metric("Trainable parameters", f"{resolved.trainable_parameters:,}")
    frozen.metric("Frozen parameters", f"{resolved.frozen_parameters:,}")
    cut.metric("Cut after", resolved.cut.layer, help="All below it is frozen.")
    shape = " × ".join(map(str, resolved.cut.shape))
    st.caption(
        "These are the backbone's; the new head's parameters always train and are not "
        f"counted here. At the cut, each image is {shape} numbers."
    )
