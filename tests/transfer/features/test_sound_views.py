"""Random views of a spectrogram: repeatable, of the same size, and never mirrored."""

import numpy as np
import pytest
from numpy.typing import NDArray

from transfer.config import SOUND_AUGMENTATIONS
from transfer.features.views import View


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    """A loud low note in the first half, and a quiet high one in the second."""
    levels = np.zeros((40, 60), np.uint8)
    levels[30:34, 10:30] = 250
    levels[5:9, 32:50] = 120
    return np.repeat(levels[..., None], 3, axis=2)


@pytest.mark.parametrize("augmentation", SOUND_AUGMENTATIONS)
def test_of__each_change_alone_makes_other_views(
    pixels: NDArray[np.uint8], augmentation: str
) -> None:
    views = [View("ab", n, (augmentation,)).of(pixels) for n in range(1, 9)]
    for view in views:
        assert view.shape == pixels.shape and view.dtype == np.uint8
    assert any(not np.array_equal(view, pixels) for view in views)
    again = View("ab", 1, (augmentation,)).of(pixels)
    assert np.array_equal(again, views[0])


def test_of__low_stays_low_and_early_stays_early(pixels: NDArray[np.uint8]) -> None:
    for number in range(1, 20):
        view = View("ab", number, ("shift", "gain", "noise")).of(pixels).astype(int)
        rows, columns = np.unravel_index(view[..., 0].argmax(), view.shape[:2])
        assert 30 <= rows < 34
        assert columns < 40


def test_of__noise_fills_silence_and_leaves_what_is_loud(
    pixels: NDArray[np.uint8],
) -> None:
    view = View("ab", 1, ("noise",)).of(pixels)[..., 0].astype(int)
    assert view[15:25].mean() > 10
    assert np.abs(view[31, 12:28] - 250).max() < 10


def test_of__masks_cover_bands_and_moments(pixels: NDArray[np.uint8]) -> None:
    mean = round(float(pixels[..., 0].mean()))
    covered = [
        (View("ab", n, ("masks",)).of(pixels)[..., 0] == mean).mean()
        for n in range(1, 9)
    ]
    assert 0 < max(covered) < 0.6


def test_view__a_voice_keeps_what_is_steady_and_moves_notes() -> None:
    steady = np.full((40, 40, 3), 90, np.uint8)
    assert np.array_equal(View("ab", 1, ("voice",)).of(steady), steady)
    note = np.zeros((40, 40, 3), np.uint8)
    note[20] = 200
    views = [View("ab", n, ("voice",)).of(note) for n in (1, 2, 3)]
    rows = {int(view[:, 20, 0].argmax()) for view in views}
    assert len(rows) > 1
    assert all(15 <= row <= 24 for row in rows)
