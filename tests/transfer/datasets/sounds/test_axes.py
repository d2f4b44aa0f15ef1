"""Seconds and frequencies lie where the spectrogram has them."""

import numpy as np
import pytest

from tests.sounds_made import encode
from transfer.datasets.sounds import axes, drawing
from transfer.datasets.sounds.presets import WORD

#: A steady tone stays bright, and the picture has so many seconds.
HOW = WORD._replace(evens=0, trims=0.0)


def test_frequencies__a_tone_is_brightest_where_the_axis_says() -> None:
    time = np.arange(16_000) / 16_000
    for hertz, place in axes.frequencies(HOW):
        tone = (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)
        shades = drawing.draw(encode(tone, 16_000), (400, 100), HOW)[:, 50, 0]
        # Its band of 40 is ten rows high; where several are white, the middle counts.
        rows = np.flatnonzero(shades == shades.max())
        assert 1 - rows.mean() / 400 == pytest.approx(place, abs=1.2 / HOW.bands)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.5, [0, 0.1, 0.2, 0.3, 0.4, 0.5]), (1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0])],
)
def test_times__few_and_round(seconds: float, told: list[float]) -> None:
    found = axes.times(HOW._replace(seconds=seconds))
    assert [one for one, _ in found] == pytest.approx(told)
    assert found[-1][1] == pytest.approx(1.0)


def test_times__none_where_each_recording_fills_the_picture() -> None:
    assert axes.times(WORD) == []
