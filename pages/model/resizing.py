"""How pictures that are not square are resized: the choice, shown on the user's own."""

from typing import NamedTuple, get_args

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.shared import shell, words
from transfer.config import help_text
from transfer.datasets import away, facts, library, thumbnails
from transfer.datasets.decoding import Resizing
from transfer.datasets.renderings import Rendering
from transfer.datasets.revision import Revision
from transfer.errors import TransferError

NAMES: dict[str, str] = words.VALUES["resizing"]
#: What each does to a picture, and when it is the right one.
SAYS: dict[str, str] = {
    "stretch": "all of it, squeezed; right for most pictures",
    "crop": "the middle, in its own shape; where classes differ in shape and objects "
    "are in the middle",
    "fit": "all of it, in its own shape and smaller; where classes differ in shape and "
    "objects are anywhere",
}
#: Images whose shapes are looked at, and how long one is that is called so.
_LOOKED_AT, _LONG = 1000, 1.5


class _Shapes(NamedTuple):
    """Shapes of some training images: positions of those that are not square, and the
    share of them that are long.
    """

    not_square: list[int]
    long: float


def show(revision: Revision, size: int) -> None:
    """The choice, and one of the pictures as each way gives it.

    Args:
        revision: The dataset.
        size: Height and width in pixels that the model gets.
    """
    st.session_state.setdefault("resizing", "stretch")
    st.segmented_control(
        words.label("resizing"),
        list(NAMES),
        required=True,
        format_func=NAMES.__getitem__,
        help=help_text("resizing", NAMES),
        key="resizing",
        persist_state="session",
    )
    try:
        found = _look(revision.dataset, revision.id, revision)
        if not found.not_square:
            st.caption("Your pictures are square: all three give the same.")
            return
        _show_one(revision, found, size)
    except (TransferError, OSError) as error:
        st.caption(f"The picture cannot be shown: {shell.escape(str(error))}")


def _show_one(revision: Revision, found: _Shapes, size: int) -> None:
    number = st.session_state.setdefault("resized", 0) % len(found.not_square)
    image = revision.of_split("train")[found.not_square[number]]
    with st.grid(min_column_width=150, gap="small"):
        original = thumbnails.of_image(image.sha256, revision.rendering)
        _picture(original, "**The picture** as it is")
        for name, pixels in _each_way(image.sha256, size, revision.rendering).items():
            _picture(pixels, f"**{NAMES[name]}**: {SAYS[name]}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Another picture",
            on_click=_next,
            icon=":material/shuffle:",
            key="another-resized",
        )
        st.caption(_hint(found.long), width="content")


def _picture(picture: bytes | NDArray[np.uint8], says: str) -> None:
    with st.container():
        st.image(picture)
        st.caption(says)


def _hint(long: float) -> str:
    """What is said of how many are long."""
    if not long:
        return "Few of your pictures are far from square: the choice changes little."
    return (
        f"{long:.0%} of your pictures are at least {_LONG:g} times as long as wide. "
        "Start a run with each choice and compare them on val: it takes seconds with "
        "*Instant*."
    )


def _next() -> None:
    # A step that shares no factor with most numbers of images, so that classes change.
    st.session_state["resized"] += 7919


@st.cache_data(show_spinner=False, max_entries=32)
def _look(dataset: str, revision_id: str, _revision: Revision) -> _Shapes:
    train = _revision.of_split("train")
    step = -(-len(train) // _LOOKED_AT)
    ratios = facts.shapes(dataset, train[::step])
    # Long ones first, on which the difference is seen best.
    order = np.argsort(ratios < _LONG, kind="stable")
    positions = step * order[ratios[order] >= 1.05]
    return _Shapes(positions.tolist(), float(np.mean(ratios >= _LONG)))


@st.cache_data(show_spinner=False, max_entries=32)
def _each_way(
    sha256: str, size: int, rendering: Rendering | None
) -> dict[str, NDArray[np.uint8]]:
    """The picture `(size, size, 3)` as each way gives it to the model."""
    path = library.image_path(sha256)
    return {
        one: away.decode(path, (size, size), rendering, one)
        for one in get_args(Resizing)
    }
