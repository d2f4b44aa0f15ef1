"""Spectrograms with seconds to the right and frequencies upwards."""

import base64
import html
from pathlib import Path

import streamlit as st

from transfer.datasets.sounds import axes
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.errors import TransferError


def show(picture: bytes | str, how: Spectrogram, alt: str, sound: bytes | Path) -> None:
    """A spectrogram, or a heat map on one, between its axes.

    Args:
        picture: A PNG or JPEG, or its address.
        how: How it was drawn.
        alt: What it shows, for who cannot see it.
        sound: The recording.
    """
    address = picture if isinstance(picture, str) else _embed(picture)
    ups = "".join(
        f'<span style="position:absolute;right:.35rem;bottom:{at:.1%};'
        f'transform:translateY(50%)">{_hertz(hertz)}</span>'
        for hertz, at in axes.frequencies(how)
    )
    st.html(
        '<div style="display:grid;grid-template-columns:2.9rem 1fr;font-size:.7rem;'
        f'line-height:1"><div style="position:relative;opacity:.75">{ups}</div>'
        f'<img src="{address}" alt="{html.escape(alt)}" '
        'style="width:100%;aspect-ratio:4/3;display:block;border-radius:4px">'
        f'<div></div><div style="position:relative;height:1.2rem;opacity:.75">'
        f"{_seconds(sound, how)}</div></div>"
    )


def _embed(picture: bytes) -> str:
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _hertz(hertz: int) -> str:
    return f"{hertz} Hz" if hertz < 1000 else f"{hertz / 1000:g} kHz"


def _seconds(sound: bytes | Path, how: Spectrogram) -> str:
    parts = []
    try:
        told = axes.times(*axes.span(sound, how))
    except TransferError:  # it is gone, or damaged, since its picture was made
        told = []
    for seconds, at in told:
        if seconds < 0:  # silence before the recording
            continue
        # The last would else stand out of the picture.
        shift = "-100%" if at > 0.97 else "-50%" if at > 0.03 else "0"
        parts.append(
            f'<span style="position:absolute;left:{at:.1%};top:.25rem;'
            f'transform:translateX({shift})">{seconds:g} s</span>'
        )
    return "".join(parts)
