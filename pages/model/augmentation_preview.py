"""What the model will see: views of one training picture, after augmentation."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.shared import shell
from pages.shared.words import spoken
from transfer.config import TrainConfig
from transfer.datasets import away, library
from transfer.datasets.decoding import Resizing
from transfer.datasets.renderings import Rendering
from transfer.datasets.revision import Revision
from transfer.errors import TransferError
from transfer.features.views import View

VIEWS = 8


def show(revision: Revision, size: int, config: TrainConfig) -> None:
    """The fold.

    Args:
        revision: The dataset.
        size: Height and width in pixels that the model gets.
        config: The settings that are chosen, with augmentation.
    """
    train = revision.of_split("train")
    with st.expander("What the model will see", icon=":material/visibility:"):
        # Any number is right: the session may come from a larger dataset.
        number = st.session_state.setdefault("preview", 0) % len(train)
        image, names = train[number], config.augmentations
        try:
            how = revision.rendering, config.resizing
            views = _views(image.sha256, size, names, *how)
        except (TransferError, OSError) as error:
            st.caption(
                f"The {spoken().picture} cannot be shown: {shell.escape(str(error))}"
            )
            return
        with st.grid(min_column_width=110, gap="xsmall"):
            for index, view in enumerate(views):
                st.image(view, caption="itself" if not index else f"view {index}")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                f"Another {spoken().picture}", on_click=_next, icon=":material/shuffle:"
            )
            st.caption(
                f"{VIEWS} views as the model sees them. Does each still show its "
                "class? Leave out the change that hides it.",
                width="content",
            )


def _next() -> None:
    # A step that shares no factor with most numbers of images, so that classes change.
    st.session_state["preview"] += 7919


@st.cache_data(show_spinner=False, max_entries=32)
def _views(
    sha256: str,
    size: int,
    augmentations: tuple[str, ...],
    rendering: Rendering | None,
    resizing: Resizing,
) -> list[NDArray[np.uint8]]:
    """Views of an image, the image itself first, each `(size, size, 3)`."""
    # The same function and the same views as in training: a preview by other code would
    # show something else.
    path = library.image_path(sha256)
    pixels = away.decode(path, (size, size), rendering, resizing)
    return [View(sha256, n, augmentations).of(pixels) for n in range(VIEWS)]
