import numpy as np

from tests.sounds_made import encode, tone
from transfer.datasets.sounds import drawing
from transfer.datasets.sounds.spectrogram import Spectrogram

HOW = Spectrogram(8000, 1.0, 0.025, 0.01, 64, 50.0, 4000.0, 80.0)


def test_draw__low_notes_are_below_high_ones() -> None:
    rows = [
        int(drawing.draw(encode(tone(hertz)), (64, 64), HOW)[:, 20, 0].argmax())
        for hertz in (200, 800)
    ]
    assert rows[0] > rows[1]


def test_draw__a_short_sound_stands_in_the_middle_of_silence() -> None:
    pixels = drawing.draw(encode(tone(400, 0.2)), (32, 100), HOW)
    assert not pixels[:, :30].any() and not pixels[:, -30:].any()
    assert pixels[:, 40:60].max() > 200


def test_draw__of_a_long_one_the_loudest_part_is_shown() -> None:
    word = np.concatenate([np.zeros(24000, np.float32), tone(400, 0.5)])
    assert drawing.draw(encode(word), (32, 32), HOW).max() > 200
    assert drawing.draw(encode(word), (32, 32), HOW)[:, -2:].max() > 0


def test_draw__a_pause_is_not_made_loud() -> None:
    hiss = 1e-5 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    pixels = drawing.draw(encode(hiss, kind="FLOAT"), (32, 32), HOW)
    assert pixels.max() < 160


def test_draw__silence_is_black() -> None:
    assert not drawing.draw(encode(np.zeros(8000, np.float32)), (8, 8), HOW).any()


def test_draw__another_rate_gives_nearly_the_same() -> None:
    one = drawing.draw(encode(tone(400, 0.5, 8000)), (32, 32), HOW).astype(int)
    other = drawing.draw(encode(tone(400, 0.5, 16000), 16000), (32, 32), HOW)
    assert np.abs(one - other).mean() < 6
