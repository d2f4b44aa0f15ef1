"""The form of a run's settings, made from the fields of `TrainConfig`."""

import shlex
from typing import Any

import annotated_types
import streamlit as st

from pages.shared import words
from transfer.backbones.catalogue import Backbone
from transfer.config import (
    AUGMENTATIONS,
    SOUND_AUGMENTATIONS,
    TrainConfig,
    help_text,
    options,
)
from transfer.datasets.revision import Kind

#: In reach; all others are in a fold.
COMMON = list(words.LABELS)[:6]
#: The others have no effect on a head that is not trained in steps.
OF_ONE_STEP = ("class_weights", "precision", "resizing")
#: Drawn beside pictures that show what it does, by `pages.model.resizing`.
ELSEWHERE = ("resizing",)
#: They have an effect only while the backbone's layers train.
OF_FINE_TUNING = (
    "fine_tune_epochs",
    "fine_tune_learning_rate",
    "layer_decay",
    "l2_sp",
    "blend",
)
#: What a click on plus or minus adds, where a tenth of the default would not do.
STEPS = {
    "layer_decay": 0.05,
    "label_smoothing": 0.05,
    "l2_sp": 0.001,
    "weight_decay": 0.01,
}


def image_size(backbone: Backbone) -> int | None:
    """Height and width in pixels; None is the backbone's own."""
    size = st.session_state.get(_size_key(backbone), backbone.native_size)
    size = max(size, _least_size(backbone))  # an address may name any
    return None if size == backbone.native_size else int(size)


def show_image_size(place: Any, backbone: Backbone) -> None:
    """The box of `image_size`."""
    key, least = _size_key(backbone), _least_size(backbone)
    st.session_state[key] = image_size(backbone) or backbone.native_size
    place.number_input(
        words.spoken().size.capitalize(),
        min_value=least,
        max_value=_limit(TrainConfig.model_fields["image_size"], annotated_types.Le),
        help=_help("image_size", least),
        key=key,
        persist_state="session",
    )


def settings(method: str, kind: Kind = "images") -> dict[str, Any]:
    """The settings as they are chosen, by field name of `TrainConfig`.

    Args:
        method: As in `TrainConfig`; what it leaves without effect is left out.
        kind: Of the dataset, whose augmentations count.
    """
    # The boxes are drawn further down, or not at all; what they hold is in the session.
    chosen = {name: value_of(name) for name in words.LABELS}
    asked = chosen["augmentation"].split(",")
    fitting = [one for one in _augmentations(kind) if one in asked]
    chosen["augmentation"] = ",".join(fitting) or "none"
    if kind == "sounds":  # they have no shape that could be kept
        chosen["resizing"] = "stretch"
    if method != "train":
        return {"method": method} | {name: chosen[name] for name in OF_ONE_STEP}
    if chosen["augmentation"] == "none":
        del chosen["views"]
    return {"method": method} | chosen


def value_of(name: str) -> Any:
    """What is chosen in a field."""
    value = st.session_state.get(name, TrainConfig.model_fields[name].default)
    if name == "augmentation" and not isinstance(value, str):
        known = AUGMENTATIONS + SOUND_AUGMENTATIONS
        return ",".join(one for one in known if one in value) or "none"
    return value


def show(method: str, freeze: str, kind: Kind = "images") -> None:
    """The boxes.

    Args:
        method: As in `TrainConfig`; what it leaves without effect is hidden.
        freeze: The freeze plan; what it leaves without effect is disabled.
        kind: Of the dataset.
    """
    if method == "train":
        _fields(COMMON, freeze, kind)
    rest = [
        name
        for name in settings(method, kind)
        if name in words.LABELS and name not in ELSEWHERE
    ]
    with st.expander("More settings", icon=":material/tune:"):
        left = [one for one in rest if method != "train" or one not in COMMON]
        _fields(left, freeze, kind)


def _augmentations(kind: Kind) -> list[str]:
    return list(SOUND_AUGMENTATIONS if kind == "sounds" else AUGMENTATIONS)


def _size_key(backbone: Backbone) -> str:
    return f"image_size-{backbone.name}"


def _least_size(backbone: Backbone) -> int:
    field = TrainConfig.model_fields["image_size"]
    return max(int(_limit(field, annotated_types.Ge)), backbone.smallest_size)


def _fields(names: list[str], freeze: str, kind: Kind) -> None:
    """Fields in two columns, row by row, so that neighbours stand side by side."""
    for left in range(0, len(names), 2):
        for name, place in zip(names[left : left + 2], st.columns(2), strict=False):
            idle = freeze == "all" and name in OF_FINE_TUNING
            _field(name, place, idle, kind)


def _field(name: str, place: Any, disabled: bool, kind: Kind) -> None:
    field = TrainConfig.model_fields[name]
    shared: dict[str, Any] = {"disabled": disabled, "persist_state": "session"}
    shared |= {"label": words.label(name), "help": _help(name), "key": name}
    if name == "augmentation":
        # Those of the other kind are from another dataset, and no pills here.
        kept = st.session_state.get(name)
        if isinstance(kept, list):
            fitting = [one for one in kept if one in _augmentations(kind)]
            if fitting != kept:
                st.session_state[name] = fitting
        place.pills(
            options=_augmentations(kind),
            selection_mode="multi",
            format_func=str.capitalize,
            **shared,
        )
        return
    # Not as `value`: Streamlit warns where the dial or a file has set it as well.
    st.session_state.setdefault(name, field.default)
    if name in words.VALUES:
        named = words.VALUES[name]
        place.selectbox(options=list(named), format_func=named.get, **shared)
    else:
        place.number_input(**_limits(name), **shared)


def _help(name: str, low: int | None = None) -> str:
    """What the setting does, and its limits where it is a number.

    Args:
        name: Of the setting.
        low: The least value, where the setting's own is not the limit.
    """
    field = TrainConfig.model_fields[name]
    least = low or _limit(field, annotated_types.Ge)
    above, high = (_limit(field, k) for k in (annotated_types.Gt, annotated_types.Le))
    says = help_text(name, words.VALUES.get(name, {}))
    if high is None:
        return says
    start = f"More than {above}" if least is None else f"From {least:,}"
    return f"{says} {start}, up to {high:,}."


def _limits(name: str) -> dict[str, Any]:
    """Limits and step of a number box."""
    field = TrainConfig.model_fields[name]
    low, high = _limit(field, annotated_types.Ge), _limit(field, annotated_types.Le)
    if not isinstance(field.default, float):
        return {"min_value": low, "max_value": high}
    # Where the field's own limit is "above 0": a number box knows only "at least".
    low = 1e-7 if low is None else float(low)
    step = STEPS.get(name, field.default / 10)
    return {"min_value": low, "max_value": float(high), "step": step, "format": "%g"}


def _limit(field: Any, kind: type[Any]) -> Any:
    """The limit of this kind: `annotated_types.Ge`, `Gt` or `Le`."""
    for one in field.metadata:
        if isinstance(one, kind):
            return getattr(one, kind.__name__.lower())
    return None


def command_line(chosen: dict[str, Any], run: str = "") -> str:
    """What to type to start the same run, called `run`."""
    line = ["python", "-m", "transfer", "train", *options(chosen)]
    return shlex.join([*line, "--name", run] if run else line)
