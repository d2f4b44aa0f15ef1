"""Recordings to try: from a file or the microphone; what is heard in them, and when."""

import html
from typing import Any

import streamlit as st

from pages.predict import answers
from pages.predict.answers import Picture
from pages.shared import charts, session, shell, tables
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.errors import TransferError
from transfer.prediction import answers as told
from transfer.prediction.recordings import Heard
from transfer.store.record import Run

#: Endings that the chooser of files offers.
_ENDINGS = ["wav", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "au", "caf"]
#: Colours of the classes in a timeline, one after another.
_COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#e15759", "#76b7b2", "#9c755f")
#: Answers that a visit keeps.
_KEPT = 50
_WAYS = {
    "Recordings": ":material/audio_file:",
    "Microphone": ":material/mic:",
}


def show(run: Run) -> None:
    """The ways in which recordings come, and what the run says of each."""
    way = st.segmented_control(
        "Where the recordings come from",
        list(_WAYS),
        default="Recordings",
        required=True,
        format_func=lambda one: f"{_WAYS[one]} {one}",
        label_visibility="collapsed",
        key="sound-way",
    )
    sounds = _from_microphone() if way == "Microphone" else _files()
    records = [_show_one(run, one) for one in sounds]
    found = [one for one in records if one]
    if found:
        st.download_button(
            "Table of segments (CSV)",
            told.segments_to_csv(found),
            "segments.csv",
            "text/csv",
            icon=":material/download:",
        )
    else:
        names = ", ".join(shell.escape(x) for x in run.result["class_names"][:8])
        st.caption(
            "Bring one recording or many, short or long: in a long one the model "
            f"listens window by window. It tells apart: {names}"
        )


def _files() -> list[Picture]:
    files = st.file_uploader(
        "Recordings: drop or choose",
        type=_ENDINGS,
        accept_multiple_files=True,
        key="recordings",
    )
    return [Picture.of(file.name, file.getvalue()) for file in files]


def _from_microphone() -> list[Picture]:
    taken = st.audio_input("Record with the microphone", key="recording")
    return [Picture.of("recording.wav", taken.getvalue())] if taken else []


def _show_one(run: Run, sound: Picture) -> dict[str, Any]:
    """The card of a recording; what is told of it for the table, if it can be heard."""
    with st.container(border=True):
        left, right = st.columns([1, 1.5], gap="medium")
        try:
            with st.spinner("Asking the model; the first answer takes some seconds."):
                heard = _answer(run, sound)
        except TransferError as error:
            shell.show_error(error)
            return {}
        with left:
            _show_sound(run, sound, heard)
        with right:
            st.html(charts.bars(heard.ranking[:5]))
            record = told.of_recording(sound.name, heard)
            if len(heard.segments) > 1:
                st.html(_timeline(heard))
                tables.show(record["segments"], hide_index=True, height=220)
    return record


def _show_sound(run: Run, sound: Picture, heard: Heard) -> None:
    """Spectrogram, or where in it the evidence is, and a player."""
    inference = session.inference()
    is_short = len(heard.segments) == 1 and isinstance(run.rendering, Spectrogram)
    png = answers.heat_map(run, sound, heard.ranking[0][0]) if is_short else None
    if png:
        st.image(png, alt=f"Heat map of {sound.name}", width="stretch")
        st.caption("Time to the right, low notes below; bright is what speaks for it.")
    elif is_short:
        thumbnail = inference.thumbnail(sound.content, 512, run.rendering)
        st.image(thumbnail, alt=f"Spectrogram of {sound.name}", width="stretch")
    st.audio(sound.read())
    st.caption(shell.escape(sound.name))


def _answer(run: Run, sound: Picture) -> Heard:
    """What the run says, asked for once."""
    kept: dict[str, Heard] = st.session_state.setdefault("heard", {})
    key = f"{run.id}-{sound.key}"
    if key not in kept:
        session.spend("predict")
        kept[key] = session.inference().hear(run.id, sound.content)
    for old in list(kept)[:-_KEPT]:
        del kept[old]
    return kept[key]


def _timeline(heard: Heard) -> str:
    """HTML of a bar with a stretch for each segment, as wide as it is long."""
    length = heard.segments[-1].end or 1.0
    parts = "".join(
        f'<div title="{_says(heard, at)}" style="flex:{one.end - one.start:.3f} 1 0;'
        f"min-width:1px;overflow:hidden;white-space:nowrap;color:#fff;padding:.2rem;"
        f'background:{_COLOURS[one.label % len(_COLOURS)]};font-size:.75rem">'
        f"{html.escape(heard.class_names[one.label])}</div>"
        for at, one in enumerate(heard.segments)
    )
    return (
        '<div style="display:flex;border-radius:6px;overflow:hidden" role="img" '
        f'aria-label="What is heard when">{parts}</div>'
        '<div style="display:flex;justify-content:space-between;font-size:.75rem;'
        f'opacity:.7"><span>0 s</span><span>{length:.1f} s</span></div>'
    )


def _says(heard: Heard, at: int) -> str:
    one = heard.segments[at]
    name = html.escape(heard.class_names[one.label])
    return f"{one.start:.1f} to {one.end:.1f} s: {name} {one.probability:.0%}"
