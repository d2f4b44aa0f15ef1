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


def test_draw__what_is_trimmed_fills_the_picture() -> None:
    how = HOW._replace(trims=30.0)
    note = np.pad(tone(400, 0.2)[:1600], (2000, 3000))
    pixels = drawing.draw(encode(note), (32, 100), how)
    assert pixels[:, 5:].max() > 200
    assert (pixels[..., 0].max(0)[15:-15] > 100).all()


def test_draw__a_band_that_is_louder_all_the_time_is_no_brighter() -> None:
    how = HOW._replace(evens=1, finer=1)
    hum = 0.3 * np.sin(2 * np.pi * 300 * np.arange(8000) / 8000)
    noise = 0.05 * np.random.default_rng(0).standard_normal(8000)
    pixels = drawing.draw(encode((hum + noise).astype(np.float32)), (32, 32), how)
    assert np.abs(pixels[:, 4:-4, 0].astype(float).mean(1) - 127).max() < 12


def test_draw__silence_and_the_shortest_sounds_can_be_trimmed() -> None:
    how = HOW._replace(trims=30.0, evens=1)
    for count in (1, 70, 8000):
        pixels = drawing.draw(encode(np.zeros(count, np.float32)), (8, 8), how)
        assert pixels.shape == (8, 8, 3)


def test_draw__one_window_makes_grey_pictures() -> None:
    pixels = drawing.draw(encode(tone(400)), (16, 16), HOW._replace(finer=1))
    assert np.array_equal(pixels[..., 0], pixels[..., 2])
