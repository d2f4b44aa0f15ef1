"""The settings of a run as form fields, each with its own help and limits."""

import shlex
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from annotated_types import Ge, Le

from transfer.backbones.catalogue import Backbone
from transfer.config import AUGMENTATIONS, TrainConfig

METHODS = {
    "train": "Train in steps",
    "instant": "Instant, in closed form",
    "source": "The source model as it is",
}
#: Settings in reach, and those in the fold, in the order of the page.
COMMON = {
    "head_epochs": "Epochs of the head phase",
    "learning_rate": "Learning rate of the head phase",
    "fine_tune_epochs": "Epochs of the fine-tuning phase",
    "fine_tune_learning_rate": "Learning rate of the fine-tuning phase",
    "batch_size": "Batch size",
    "augmentation": "Augmentation",
}
MORE = {
    "head": "Head",
    "views": "Kept views of each image",
    "layer_decay": "Decay of the learning rate by depth",
    "label_smoothing": "Label smoothing",
    "l2_sp": "Pull towards the pretrained weights (L2-SP)",
    "class_weights": "Class weights",
    "patience": "Patience of early stopping, in epochs",
    "precision": "Precision of frozen features",
    "seed": "Seed",
}
#: Those that say nothing where the head is not trained in steps.
_ONE_STEP = ("class_weights", "precision", "seed")


def image_size(place: Any, backbone: Backbone) -> int | None:
    """Height and width in pixels; None is the backbone's own."""
    field = TrainConfig.model_fields["image_size"]
    low = _limit(field, Ge, "ge")
    size = place.number_input(
        "Image size in pixels",
        value=backbone.native_size,
        min_value=max(low, backbone.smallest_size),
        max_value=_limit(field, Le, "le"),
        help=field.description,
        key=f"image_size-{backbone.name}",
    )
    return None if size == backbone.native_size else int(size)


def method(plan: str) -> str:
    """How the head comes about; with unfrozen layers it can only be trained."""
    if plan != "all":
        return "train"
    return str(
        st.segmented_control(
            "How the head is made",
            list(METHODS),
            default="train",
            required=True,
            format_func=METHODS.get,
            help=TrainConfig.model_fields["method"].description,
            key="method",
        )
    )


def settings(made: str, fine_tunes: bool) -> dict[str, Any]:
    """The settings as they are chosen, by field name of `TrainConfig`.

    Args:
        made: The method.
        fine_tunes: Whether there is a fine-tuning phase to be set.
    """
    off = set() if fine_tunes else {"layer_decay", "l2_sp"}
    off |= {n for n in COMMON if n.startswith("fine_tune") and not fine_tunes}
    common = {n: text for n, text in COMMON.items() if made == "train"}
    chosen = _fields(common, off)
    if chosen.get("augmentation", "none") == "none":
        off.add("views")
    more = {n: t for n, t in MORE.items() if made == "train" or n in _ONE_STEP}
    with st.expander("More settings", icon=":material/tune:"):
        return chosen | _fields(more, off)


def _fields(labels: dict[str, str], off: set[str]) -> dict[str, Any]:
    columns = st.columns(2)
    return {
        name: _field(name, label, columns[index % 2], disabled=name in off)
        for index, (name, label) in enumerate(labels.items())
    }


def _field(name: str, label: str, place: Any, disabled: bool) -> Any:
    field = TrainConfig.model_fields[name]
    shared = {"label": label, "help": field.description, "key": name}
    shared["disabled"] = disabled
    if name == "augmentation":
        chosen = place.multiselect(options=AUGMENTATIONS, placeholder="None", **shared)
        return ",".join(one for one in AUGMENTATIONS if one in chosen) or "none"
    if get_origin(field.annotation) is Literal:
        options = list(get_args(field.annotation))
        return place.selectbox(options=options, **shared)
    low, high = _limit(field, Ge, "ge"), _limit(field, Le, "le")
    limits: dict[str, Any] = {"min_value": low, "max_value": high}
    if isinstance(field.default, float):
        # "Above 0" is the field's own limit; a number box knows only "at least".
        low = 1e-7 if low is None else float(low)
        limits = {"min_value": low, "max_value": float(high), "format": "%g"}
        limits["step"] = field.default / 10 or 0.01
    return place.number_input(value=field.default, **limits, **shared)


def _limit(field: Any, kind: type, name: str) -> Any:
    for one in field.metadata:
        if isinstance(one, kind):
            return getattr(one, name)
    return None


def command_line(chosen: dict[str, Any], run: str = "") -> str:
    """What to type to start the same run, called `run`."""
    words = ["python", "-m", "transfer", "train"]
    for name, value in chosen.items():
        field = TrainConfig.model_fields[name]
        if field.is_required() or value != field.default:
            words += ["--" + name.replace("_", "-"), str(value)]
    return shlex.join([*words, "--name", run] if run else words)
