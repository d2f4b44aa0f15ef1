"""The factor on scores against a search that knows no derivative."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from transfer.classifier.factor import Calibration


def _made(noise: float) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, 200).astype(np.int32)
    return np.eye(4)[labels] + random.normal(0, noise, (200, 4)), labels


@pytest.mark.parametrize("start", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("uniform", [0.0, 0.1])
@pytest.mark.parametrize("noise", [0.4, 1.5])
def test_best__is_where_the_loss_is_least(
    noise: float, uniform: float, start: float
) -> None:
    scores, labels = _made(noise)
    weights = np.random.default_rng(1).random(200)
    calibration = Calibration(scores, labels, uniform)
    found = minimize_scalar(
        lambda place: weights @ calibration.at(np.exp(place)).losses,
        bounds=(-4, 8),
        options={"xatol": 1e-9},
    )
    best = calibration.best(weights, start)
    assert best == pytest.approx(np.exp(found.x), rel=1e-4)


def test_best__of_answers_that_are_all_right_or_wrong_goes_to_an_end() -> None:
    scores, labels = _made(noise=0)
    right, wrong = Calibration(scores, labels), Calibration(-scores, labels)
    assert right.at(right.best(np.ones(200))).losses.max() < 1e-12
    assert wrong.best(np.ones(200)) < 0.02


def test_at__derivatives_are_those_of_the_losses() -> None:
    scores, labels = _made(noise=1)
    calibration, step = Calibration(scores, labels, uniform=0.2), 1e-5
    below, at, above = (calibration.at(2 + step * d) for d in (-1, 0, 1))
    slopes = (above.losses - below.losses) / (2 * step)
    bends = (above.slopes - below.slopes) / (2 * step)
    np.testing.assert_allclose(at.slopes, slopes, atol=1e-6)
    np.testing.assert_allclose(at.bends, bends, atol=1e-6)
