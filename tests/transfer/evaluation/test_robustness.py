"""How pictures and sounds are spoilt."""

import numpy as np
import pytest

from tests.pictures import noisy_picture
from tests.sounds_made import tone
from transfer.datasets.sounds import presets
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.evaluation import robustness
from transfer.features.views import Reading


@pytest.mark.parametrize("name", sorted(robustness.KINDS))
def test_kinds__stronger_changes_more(name: str) -> None:
    pixels = np.array(noisy_picture(0.1, (48, 64)).resize((64, 48)))
    pixels[10:30, 20:40] = 255
    kind = robustness.KINDS[name]
    changed = [kind.change(pixels, strength, 7) for strength in kind.strengths]
    again = [kind.change(pixels, strength, 7) for strength in kind.strengths]
    distances = []
    for one, same in zip(changed, again, strict=True):
        assert one.shape == pixels.shape and one.dtype == np.uint8
        np.testing.assert_array_equal(one, same)
        distances.append(np.abs(one.astype(int) - pixels).mean())
    assert 0 < distances[0] < distances[1] < distances[2]


def test_sound_kinds__noise_is_so_many_decibels_softer_than_the_sound() -> None:
    sound, kind = tone(300), robustness.SOUND_KINDS["white noise"]
    for strength in kind.strengths:
        noise = kind.change(sound, strength, 7) - sound
        below = 10 * np.log10(np.mean(noise**2) / np.mean(sound**2))
        assert below == pytest.approx(strength, abs=0.5)


@pytest.mark.parametrize("seed", [6, 7])
def test_sound_kinds__so_much_is_cut_off_or_silent(seed: int) -> None:
    sound = np.ones(1000, np.float32)
    cut, gone = (robustness.SOUND_KINDS[name] for name in ("cut off", "interrupted"))
    assert [len(cut.change(sound, x, seed)) for x in cut.strengths] == [950, 850, 700]
    silent = [(gone.change(sound, x, seed) == 0).sum() for x in gone.strengths]
    assert silent == [100, 250, 400]


@pytest.mark.parametrize("name", sorted(robustness.SOUND_KINDS))
@pytest.mark.parametrize("how", [presets.WORD, presets.LONGER], ids=["word", "longer"])
def test_sound_kinds__whatever_is_done_can_be_drawn(
    name: str, how: Spectrogram
) -> None:
    """Also of the shortest sound, and of silence."""
    kind = robustness.SOUND_KINDS[name]
    originals = robustness.Originals(Reading((24, 24), how))
    for sound in (np.zeros(1, np.float32), np.zeros(400, np.float32), tone(300)):
        spoilt = kind.change(sound, kind.strengths[-1], 7)
        assert spoilt.dtype == np.float32 and np.isfinite(spoilt).all()
        assert originals.draw(spoilt).shape == (24, 24, 3)
