from pathlib import Path

import numpy as np
import pytest

from tests.transfer.datasets.sounds import reference
from transfer.datasets.sounds.spectrogram import Spectrogram, filters, log_mel

KEPT = np.load(Path(__file__).with_name("reference.npz"))


@pytest.mark.parametrize("setting", reference.SETTINGS, ids=lambda one: str(one[0]))
def test_log_mel__is_that_of_librosa(
    setting: tuple[str, int, float, float, int, float, float],
) -> None:
    name, rate, window, hop, bands, low, high = setting
    how = Spectrogram(rate, 1.0, window, hop, bands, low, high, 80.0)
    found = log_mel(reference.signal(name, rate), how)
    assert found.shape == KEPT[name].shape
    assert np.abs(found - KEPT[name]).max() < 1e-3


def test_filters__no_band_of_a_preset_is_empty() -> None:
    for how in (
        Spectrogram(8000, 1.0, 0.025, 0.010, 64, 50.0, 4000.0, 80.0),
        Spectrogram(32000, 5.0, 0.040, 0.020, 128, 20.0, 16000.0, 80.0),
    ):
        size = 2 ** int(np.ceil(np.log2(2 * how.window * how.rate)))
        assert (filters(how, size).sum(1) > 0).all()
