"""A fold whose contents are made once somebody opens it.

What lies in closed folds was more than half of what the page Data sent at each click.
"""

from collections.abc import Callable

import streamlit as st


@st.fragment  # to open one makes that fold alone
def show(
    label: str,
    draw: Callable[[], None],
    *,
    key: str,
    icon: str = "",
    stays: bool = False,
) -> None:
    """A fold that is closed at first.

    Args:
        label: What stands on it.
        draw: Makes what is in it.
        key: Of the fold, which remembers whether it is open.
        icon: Before the label.
        stays: Whether what was opened once is made as long as the visit lasts, for an
            upload that vanishes from the page is lost.
    """
    with st.expander(label, icon=icon or None, key=key, on_change="rerun") as fold:
        if fold.open:
            st.session_state[f"was-opened-{key}"] = True
        if fold.open or stays and st.session_state.get(f"was-opened-{key}"):
            draw()
