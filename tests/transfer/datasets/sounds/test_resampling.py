import numpy as np
import pytest

from transfer.datasets.sounds.resampling import resample

RATES = (
    (8000, 16000),
    (44100, 16000),
    (48000, 8000),
    (192000, 32000),
    (11025, 16000),
    (12345, 8000),
)


@pytest.mark.parametrize(("rate", "wanted"), RATES)
def test_resample__a_tone_stays_that_tone(rate: int, wanted: int) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(rate // 4) / rate).astype(np.float32)
    found = resample(tone, rate, wanted)
    right = np.sin(2 * np.pi * 440 * np.arange(len(found)) / wanted)
    assert len(found) == -(-(rate // 4) * wanted // rate)
    inside = slice(len(found) // 8, -len(found) // 8)
    assert np.abs(found - right)[inside].max() < 1e-3


def test_resample__what_is_above_the_new_half_is_gone() -> None:
    tone = np.sin(2 * np.pi * 7000 * np.arange(11025) / 44100).astype(np.float32)
    assert np.abs(resample(tone, 44100, 8000))[200:-200].max() < 1e-3


def test_resample__the_same_rate_changes_nothing() -> None:
    samples = np.ones(5, np.float32)
    assert resample(samples, 8000, 8000) is samples


def test_resample__nothing_stays_nothing() -> None:
    assert not len(resample(np.empty(0, np.float32), 8000, 16000))
