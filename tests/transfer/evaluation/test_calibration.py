"""Temperature scaling: honest on what it has not seen, harmless on little."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from transfer.evaluation import calibration, curves


def drawn(
    images: int, temperature: float, seed: int = 0, classes: int = 5
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Labels that follow known probabilities, told with wrong confidence.

    Scaling by `temperature` gives the true probabilities back.
    """
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.5, (images, classes))
    truth = special.softmax(logits, axis=1)
    labels = (random.random((images, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    told = special.softmax(logits * temperature, axis=1).astype(np.float32)
    return told, np.minimum(labels, classes - 1)


@pytest.mark.parametrize("temperature", [0.6, 2.5])
def test_fit__finds_the_temperature(temperature: float) -> None:
    fitted = calibration.fit(*drawn(5000, temperature))
    assert fitted == pytest.approx(temperature, rel=0.05)


def test_fit__some_of_many_images_say_the_same() -> None:
    told, labels = drawn(50_000, 2.5)
    assert calibration.fit(told, labels) == pytest.approx(2.5, rel=0.02)


def test_scaled__error_falls_on_images_that_were_held_out() -> None:
    temperature = calibration.fit(*drawn(600, 3.0))
    told, labels = drawn(2000, 3.0, seed=1)
    before = curves.reliability(told, labels).error
    after = curves.reliability(calibration.scale(told, temperature), labels).error
    assert before > 0.2
    assert after < 0.05


def test_scaled__keeps_order_and_sums() -> None:
    told, _ = drawn(50, 1.0)
    scaled = calibration.scale(told, 2.0)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled.argsort(1), told.argsort(1))
    np.testing.assert_allclose(scaled.sum(1), 1, rtol=1e-6)
    assert (scaled.max(1) < told.max(1)).all()
    assert calibration.scale(told, 1.0) is told


def test_scaled__takes_a_probability_of_zero() -> None:
    certain = np.array([[1.0, 0.0]], np.float32)
    assert np.isfinite(calibration.scale(certain, 3.0)).all()


def test_judged__is_not_scaled_by_the_images_themselves() -> None:
    told, labels = drawn(400, 3.0)
    judged = calibration.scale_honestly(told, labels)
    own = calibration.scale(told, calibration.fit(told, labels))
    assert not np.allclose(judged, own)
    before = curves.reliability(told, labels).error
    assert curves.reliability(judged, labels).error < before / 2


def test_fit__no_mistake_does_not_make_certain() -> None:
    labels = np.arange(40) % 4
    told = np.full((40, 4), 0.1, np.float32)
    told[np.arange(40), labels] = 0.7
    temperature = calibration.fit(told, labels)
    assert calibration.scale(told, temperature).max() < 0.99


def test_fit__few_images_or_one_class_change_nothing() -> None:
    assert calibration.fit(*drawn(19, 3.0)) == 1.0
    assert calibration.fit(np.ones((50, 1), np.float32), np.zeros(50, int)) == 1.0
    empty = np.empty((0, 3), np.float32), np.empty(0, np.int64)
    assert calibration.fit(*empty) == 1.0
    assert calibration.scale_honestly(*empty).shape == (0, 3)


def test_fit__what_is_calibrated_stays_as_it_is_on_few_images() -> None:
    fitted = [calibration.fit(*drawn(300, 1.0, seed)) for seed in range(20)]
    assert fitted.count(1.0) >= 16


def test_fit__what_is_calibrated_stays_about_as_it_is() -> None:
    assert calibration.fit(*drawn(3000, 1.0)) == pytest.approx(1.0, abs=0.1)
