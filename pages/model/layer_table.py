"""A toggle for each block and a table of single layers: other hands on one plan."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from pages.shared import amounts
from transfer.backbones.freezing import Resolved, trainable_blocks


def show_blocks(resolved: Resolved, clicked: Callable[[str, bool], None]) -> None:
    """A toggle for each block; `clicked` hears of one that was turned over."""
    st.caption(
        "A block that is switched on trains; the others stay frozen. Beside each "
        "stands its number of parameters."
    )
    structure = resolved.structure
    trainable, training = trainable_blocks(structure), resolved.training_blocks
    with st.grid(min_column_width=190, gap=("xsmall", "medium")):
        for name, layers in structure.blocks.items():
            if name not in trainable:
                st.markdown(f":gray[{name} :small[nothing to train]]")
                continue
            key = f"trains-{structure.backbone}-{name}"
            # Set before it is drawn: the plan decides, whichever hand changed it last.
            st.session_state[key] = name in training
            size = amounts.count(sum(layer.parameters for layer in layers))
            # Without markup, which a screen reader would read out.
            st.toggle(f"{name}, {size}", key=key, on_change=clicked, args=(name, True))


def table(resolved: Resolved) -> pd.DataFrame:
    """The layers that have something to train, and whether they do."""
    layers = [layer for layer in resolved.structure.layers if layer.parameters]
    return pd.DataFrame(
        {
            "Trains": [layer.name in resolved.trains for layer in layers],
            "Layer": [layer.name for layer in layers],
            "Kind": [layer.kind for layer in layers],
            "Block": [layer.block for layer in layers],
            "Parameters": [layer.parameters for layer in layers],
        }
    )


def show_layers(base: Resolved, key: str) -> None:
    """The table with its checkboxes.

    Args:
        base: The plan from which the table was last made anew.
        key: Its key; `layers_ticked` reads what was ticked since.
    """
    st.caption(
        "For who wants to choose single layers. Layers without parameters are left out."
    )
    rows = table(base)
    others = [column for column in rows if column != "Trains"]
    st.data_editor(
        rows,
        key=key,
        disabled=others,
        hide_index=True,
        height=320,
        alt="Layers and whether they train",
    )


def layers_ticked(base: Resolved, key: str) -> frozenset[str]:
    """The layers that train after what was ticked in the table of that plan."""
    # Streamlit keeps what was ticked by the number of the row, so the rows must be
    # those of the plan that the table was made from.
    changes = st.session_state.get(key, {}).get("edited_rows", {})
    rows = table(base)
    for row, values in changes.items():
        if "Trains" in values:
            rows.loc[int(row), "Trains"] = bool(values["Trains"])
    return frozenset(rows["Layer"][rows["Trains"]])
