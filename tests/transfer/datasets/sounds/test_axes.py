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
    ("start", "end", "told"),
    [
        (0.0, 0.5, [0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        (-0.2, 1.2, [-0.0, 0.5, 1.0]),
        (0.33, 0.51, [0.4, 0.5]),
    ],
)
def test_times__few_and_round(start: float, end: float, told: list[float]) -> None:
    found = axes.times(start, end)
    assert [one for one, _ in found] == pytest.approx(told)
    for seconds, place in found:
        assert start + place * (end - start) == pytest.approx(seconds)


def test_span__of_a_short_sound_begins_before_it() -> None:
    sound = encode(np.full(8000, 0.1, np.float32), 16_000)
    assert axes.span(sound, WORD._replace(trims=0.0)) == (-0.25, 0.75)


def test_span__of_a_longer_one_is_its_loudest_second() -> None:
    samples = np.full(48_000, 0.01, np.float32)
    samples[24_000:40_000] = 0.5
    assert axes.span(encode(samples, 16_000), WORD._replace(trims=0.0)) == (1.5, 2.5)


def test_span__what_is_not_heard_is_cut_off() -> None:
    samples = np.zeros(16_000, np.float32)
    samples[8_000:12_000] = 0.5
    start, end = axes.span(encode(samples, 16_000), WORD)
    assert (start, end) == pytest.approx((0.48, 0.77))  # a little is kept around it
