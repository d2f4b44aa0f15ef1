"""The dial of effort, and settings as a file: saved, loaded, shared, told apart."""

import re
from typing import Any

import streamlit as st

from pages.model import freeze_editor
from pages.shared import shell, words
from pages.shared.words import spoken
from transfer.advice import effort
from transfer.backbones import catalogue
from transfer.config import TrainConfig, differing
from transfer.errors import TransferError

EFFORTS = {"quick": "Quick", "balanced": "Balanced", "thorough": "Thorough"}
#: What the page shows without the settings for experts.
_IN_SIGHT = ("dataset", "backbone", "method", "freeze")
#: Fields whose widgets have other keys or other values than the settings'.
_SPECIAL = ("dataset", "revision", "backbone", "weights", "image_size", "freeze")


def choose_effort() -> None:
    """Sets epochs, patience and views together; all of them stay editable."""
    settings = {
        name: st.session_state[name]
        for name in effort.EFFORTS["balanced"]
        if name in st.session_state
    }
    # Whoever changed one of them by hand has left the dial: it shows none.
    st.session_state["effort"] = effort.position(settings)
    st.segmented_control(
        "Effort",
        list(EFFORTS),
        format_func=EFFORTS.__getitem__,
        help=f"Sets the epochs, the patience and the views of each {spoken().image}; "
        "“Balanced” has the defaults. All of them can be changed one by one "
        "below.",
        key="effort",
        on_change=_set_effort,
    )


def _set_effort() -> None:
    if chosen := st.session_state["effort"]:
        st.session_state.update(effort.EFFORTS[chosen])


def load() -> None:
    """Takes a file of settings; above all widgets that it sets."""
    with st.popover("Load settings", icon=":material/upload_file:"):
        st.file_uploader(
            "A file that was saved with “Save settings”",
            type="json",
            key="settings-file",
            on_change=_take_file,
        )
        if error := st.session_state.get("settings-error"):
            _show(error)


def save(config: TrainConfig) -> None:
    """Offers the settings as a file, for another time, dataset or person."""
    st.download_button(
        "Save settings",
        effort.to_file(config),
        f"settings-{config.backbone}.json",
        "application/json",
        icon=":material/download:",
        help="Everything but the dataset; “Load settings” reads it.",
        on_click="ignore",
    )


def _take_file() -> None:
    file = st.session_state["settings-file"]
    # The callback cannot write to the page: the error is shown where the button is.
    st.session_state["settings-error"] = None
    if file is None:
        return
    try:
        _apply(effort.from_file(file.getvalue()))
    except TransferError as error:
        st.session_state["settings-error"] = error


def from_address() -> None:
    """Takes the settings of a link, or of this page before it was loaded anew; above
    all widgets that it sets.
    """
    said = _settings_in(st.query_params.to_dict())
    # The browser may be a step behind: what this session wrote says nothing new.
    if not said or said in st.session_state.get("addresses", []):
        return
    st.session_state.setdefault("addresses", []).append(said)
    try:
        _apply(effort.of_any_dataset(said))
    except TransferError as error:
        _show(error)


def to_address(chosen: dict[str, Any]) -> None:
    """Puts the settings into the address, to be kept, sent and loaded anew."""
    query = {name: str(value) for name, value in differing(chosen).items()}
    st.query_params.from_dict(query)
    written = st.session_state.setdefault("addresses", [])
    if (said := _settings_in(query)) not in written:
        written.append(said)


def tell_changes(chosen: dict[str, Any]) -> None:
    """Names what is not as recommended and would not be seen, with a way back.

    Args:
        chosen: The settings by field name of `TrainConfig`.
    """
    changed = {n: v for n, v in differing(chosen).items() if n not in _IN_SIGHT}
    if not changed:
        return
    pairs = (words.of_setting(name, value) for name, value in changed.items())
    said = " · ".join(f"{label}: {value}" for label, value in pairs)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Changed under *Expert*: {shell.escape(said)}", width="content")
        st.button(
            "Use the defaults",
            type="tertiary",
            on_click=_apply,
            args=(TrainConfig.of(**{n: chosen[n] for n in _IN_SIGHT}),),
        )


def _show(error: TransferError) -> None:
    """The error, with settings called as on the screen."""
    says = error.message
    for name in words.LABELS:
        if "_" in name:  # else it may be a plain word
            says = re.sub(rf"\b{name}\b", words.label(name), says)
    shell.show_error(TransferError(says, error.hint))


def _settings_in(query: dict[str, str]) -> dict[str, str]:
    """What an address says of settings but for the dataset."""
    passed_over = ("dataset", "revision", "start_from")
    known = TrainConfig.model_fields.keys() - passed_over
    return {name: value for name, value in query.items() if name in known}


def _apply(config: TrainConfig) -> None:
    """Sets every widget to these settings.

    Raises:
        BackboneError: There is no such backbone.
    """
    backbone = catalogue.get(config.backbone)
    # All of them, so that nothing stays from what was chosen before.
    values: dict[str, Any] = config.model_dump(exclude=set(_SPECIAL))
    values["augmentation"] = list(config.augmentations)
    values["backbone"] = config.backbone
    values["weights"] = config.weights
    size = config.image_size or backbone.native_size
    values[f"image_size-{backbone.name}"] = size
    st.session_state.update(values)
    freeze_editor.adopt(backbone.name, config.freeze, config.method)
