"""A choice of a dataset or run: the address names it, other pages begin with it."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.shared.shell import escape


def choose(
    place: Any, name: str, options: Sequence[str], gone: str, **more: Any
) -> str:
    """One of the options: the one in the address, else the one chosen last.

    Args:
        place: Where the list stands.
        name: `dataset` or `run`, as in the address.
        options: Names or ids; the first of them where none was chosen yet.
        gone: What is said of one in the address that is none of them; {} stands for it.
        more: For `st.selectbox`.
    """
    # The address first: a link must show what it names, whatever was open before.
    named, last = st.query_params.get(name, ""), st.session_state.get(f"last-{name}")
    if named and named not in options:
        st.warning(gone.format(escape(named)))
    wanted = next((one for one in (named, last) if one in options), options[0])
    chosen = place.selectbox(name.capitalize(), options, options.index(wanted), **more)
    # So that a reload, a bookmark and a link show the same.
    st.query_params[name] = chosen
    remember(name, chosen)
    return str(chosen)


def remember(name: str, chosen: str) -> None:
    """Lets other pages begin with this one.

    Args:
        name: `dataset` or `run`.
        chosen: Its name or id.
    """
    st.session_state[f"last-{name}"] = chosen
