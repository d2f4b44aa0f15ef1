"""Spectrograms with seconds to the right and frequencies upwards."""

import base64
import html

import streamlit as st

from transfer.datasets.sounds import axes
from transfer.datasets.sounds.spectrogram import Spectrogram


def show(picture: bytes | str, how: Spectrogram, alt: str) -> None:
    """A spectrogram, or a heat map on one, between its axes.

    Args:
        picture: A PNG or JPEG, or its address.
        how: How it was drawn.
        alt: What it shows, for who cannot see it.
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
        f"{_seconds(how)}</div></div>"
    )


def _embed(picture: bytes) -> str:
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _hertz(hertz: int) -> str:
    return f"{hertz} Hz" if hertz < 1000 else f"{hertz / 1000:g} kHz"


def _seconds(how: Spectrogram) -> str:
    parts = []
    for seconds, at in axes.times(how):
        # The last would else stand out of the picture.
        shift = "-100%" if at > 0.97 else "-50%" if at else "0"
        parts.append(
            f'<span style="position:absolute;left:{at:.1%};top:.25rem;'
            f'transform:translateX({shift})">{seconds:g} s</span>'
        )
    return "".join(parts)
