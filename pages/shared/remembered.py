"""What the inference process explained in this visit, which is asked for once."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from pages.shared import shell
from transfer.errors import TransferError

#: Explanations that are kept: who goes back to another run or picture finds them.
_KEPT = 100

Answer = TypeVar("Answer")


def ask(key: tuple[str, ...], find: Callable[[], Answer]) -> Answer | None:
    """The answer, asked for if it is not kept; None and a word where there is none."""
    kept: dict[tuple[str, ...], Answer] = st.session_state.setdefault("explained", {})
    if key not in kept:
        try:
            kept[key] = find()
        except TransferError as error:
            st.caption(shell.escape(str(error)))
            return None
    # The last used stand last, and the first are forgotten first.
    kept[key] = kept.pop(key)
    for old in list(kept)[:-_KEPT]:
        del kept[old]
    return kept[key]
