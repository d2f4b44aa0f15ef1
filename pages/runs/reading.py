"""What a run minimises, and which kind of transfer it is, where its curves are."""

import streamlit as st

from pages.shared import shell
from transfer.backbones import freezing
from transfer.store.record import Run

_LOSS = """
Each point is $L(θ) = E[ℓ(y, f_θ(x))]$: the loss ℓ of the model's answer $f_θ(x)$ to an
x of class y, on average over many. The line **train** is over those that it
learns from, and every step moves θ so that it falls; the line **val** is over those
that it never learns from. Where train still falls and val rises, it learns by heart.

θ is what may move: {theta}.
"""
_PARAMETERS = """
**Parameter sharing**: the model keeps the source's parameters as they are, and all that
is new is its head.
"""
_FEATURES = """
**Feature sharing**: some of the source's parameters are frozen, the others start from
what the source knew and go on learning. *What moves in the backbone* shows how far.
"""
_RANDOM = """
The backbone started from **random numbers**: nothing is transferred, which tells what a
transfer is worth.
"""
_INSTANT = """
There are no steps to follow: the head that makes the average squared error least was
computed at once, in closed form, on features that do not change.
"""
_SOURCE = "Nothing is learnt: the source model is taken as it is, its head included."


def show(run: Run) -> None:
    """A fold with both, in the words of this run."""
    with st.expander("How to read this run", icon=":material/menu_book:"):
        st.markdown(in_words(run))


def in_words(run: Run) -> str:
    """Both as Markdown."""
    config = run.config
    if config.method == "source":
        return _SOURCE
    if config.method == "instant":
        return _INSTANT + _PARAMETERS
    # Plans may name layers of somebody's own file of weights.
    what = shell.escape(freezing.in_words(config.freeze))
    theta = "the parameters of the head alone"
    if config.freeze != "all":
        theta = f"the parameters of the head, and in the second phase more: {what}"
    if config.weights == "random":
        kind = _RANDOM
    else:
        kind = _PARAMETERS if config.freeze == "all" else _FEATURES
    return _LOSS.format(theta=theta) + kind
