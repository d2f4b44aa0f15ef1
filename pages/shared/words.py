"""What the screen calls settings and their values, and names cut to their place."""

from typing import Any

import numpy as np
import streamlit as st

from pages.shared import amounts
from transfer.backbones import catalogue, freezing
from transfer.datasets import wording
from transfer.datasets.revision import Kind
from transfer.datasets.wording import Words
from transfer.evaluation.intervals import Interval
from transfer.runs.places import Place

METHODS = {
    "train": "Train in steps",
    "instant": "Instant, in closed form",
    "source": "The source model as it is",
}
#: What the screen calls the values of the settings that have few.
VALUES = {
    "method": METHODS,
    "head": {"linear": "Linear", "dense1024": "Dense layer of 1024"},
    "optimizer": {"adam": "Adam", "sgd": "SGD"},
    "blend": {"val": "As val judges best", "none": "None"},
    "class_weights": {"none": "All the same", "balanced": "Balanced"},
    "resizing": {
        "stretch": "Stretch",
        "crop": "Crop the middle",
        "fit": "Fit with a border",
    },
    "precision": {"auto": "Automatic", "float32": "float32", "bfloat16": "bfloat16"},
}
LABELS = {
    "head": "Head",
    "augmentation": "Augmentation of the training {images}",
    "head_epochs": "Epochs of the head phase",
    "learning_rate": "Learning rate of the head phase",
    "fine_tune_epochs": "Epochs of the fine-tuning phase",
    "fine_tune_learning_rate": "Learning rate of the fine-tuning phase",
    "batch_size": "Batch size",
    "optimizer": "Optimizer",
    "weight_decay": "Weight decay",
    "patience": "Patience in epochs",
    "class_weights": "Class weights",
    "label_smoothing": "Label smoothing",
    "layer_decay": "Layer decay",
    "l2_sp": "Pull to the pretrained values (L2-SP)",
    "blend": "Blend with the head phase's weights",
    "views": "Views of each {image}",
    "precision": "Precision of frozen features",
    "resizing": "Resizing of pictures that are not square",
    "seed": "Seed",
}
#: Letters of a class name on an axis or in a legend; the whole is shown on hovering.
LONGEST = 22


def speak_of(kind: Kind) -> None:
    """From here on the page, its fragments too, is about files of this kind."""
    st.session_state["speaks-of"] = kind


def spoken_of() -> Kind:
    """The kind of files that the page is about."""
    kind: Kind = st.session_state.get("speaks-of", "images")
    return kind


def spoken() -> Words:
    """What the files are called that the page is about."""
    return wording.WORDS[spoken_of()]


def label(name: str) -> str:
    """What the screen calls a setting."""
    # Settings that the form does not show have no label of their own.
    own = LABELS.get(name, name.replace("_", " ").capitalize())
    return spoken().fill(own)


def of_setting(name: str, value: Any) -> tuple[str, str]:
    """What the screen calls a setting and its value.

    Args:
        name: A field of `TrainConfig`.
        value: One of its values.
    """
    if name == "freeze":
        kind, _, names = value.partition(":")
        # By their names: two plans may train as many.
        chosen = names.replace(",", ", ") if kind in ("blocks", "layers") else ""
        return "What trains", chosen or freezing.in_words(value)
    if name == "backbone":
        return label(name), catalogue.title(value)
    if value is None:
        return label(name), "The backbone's own"
    return label(name), VALUES.get(name, {}).get(value, str(value))


def span(one: Interval) -> str:
    """The ends of the interval of a share, in per cent."""
    return "–" if np.isnan(one.low) else f"{one.low:.1%} – {one.high:.1%}"


def short(name: str) -> str:
    """The name, cut where it is too long for an axis; HTML means nothing in it."""
    return plain(cut(name))


def cut(name: str, longest: int = LONGEST) -> str:
    """The name, with … where it has more letters than are shown."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def plain(text: str) -> str:
    """Text in which Plotly finds no markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def of_place(place: Place) -> str:
    """Where a queued job stands, and about when it starts."""
    start = (
        "when those before it have ended"
        if place.seconds is None
        else f"in about {amounts.about(place.seconds)}"
        if place.seconds
        else "at once"
    )
    if place.why:
        start = f"later: {place.why}"
    return f"number {place.position} in the queue, starts {start}"
