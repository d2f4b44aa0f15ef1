"""What the source model says of photographs, while no run has a model yet."""

import streamlit as st

from pages.predict import photographs
from pages.predict.answers import SIDE, Picture
from pages.shared import charts, session, shell
from transfer.backbones import catalogue, weights
from transfer.datasets import away
from transfer.errors import TransferError
from transfer.prediction.client import Ranking

#: Photographs that are asked about, and classes that are shown of each.
MOST, SHOWN = 12, 5


def show() -> None:
    """Photographs, and the classes of ImageNet that it sees in them."""
    backbone = catalogue.get(catalogue.DEFAULT)
    if not weights.is_at_hand(backbone):
        return
    st.header("Until then: what ImageNet says", anchor=False)
    st.caption(
        f"{backbone.title} as it comes knows the 1,000 classes of ImageNet and no "
        "other. Try it on photographs: a run will teach it yours."
    )
    for picture in photographs.choose("images")[:MOST]:
        _show(picture)


def _show(picture: Picture) -> None:
    try:
        small = away.encode_thumbnail(picture.content, SIDE)
        with st.spinner("Asking the model; the first answer takes some seconds."):
            ranking = _ask(picture.key, picture)
    except TransferError as error:
        st.error(shell.escape(f"{picture.name}: {error}"), icon=":material/error:")
        return
    with st.container(border=True):
        left, right = st.columns([1, 2], gap="medium")
        left.image(small, alt=picture.name, width="stretch")
        left.caption(shell.escape(picture.name))
        right.html(charts.bars(ranking[:SHOWN]))


@st.cache_data(max_entries=200, show_spinner=False)
def _ask(key: str, _picture: Picture) -> Ranking:
    """All classes of ImageNet with their probabilities, best first."""
    (ranking,) = session.inference().predict("", [_picture.content])
    return ranking
