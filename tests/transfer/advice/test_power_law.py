"""The inverse power law through a learning curve."""

import numpy as np
import pytest

from transfer.advice import power_law

SIZES = np.array([10.0, 20, 40, 80, 160])


def _at_twice(errors: object) -> float:
    curves = np.atleast_2d(np.asarray(errors, np.float64))
    to = np.array([320.0])
    return float(power_law.go_on(SIZES, curves, np.full(1, 0.5), 10_000, to)[0, 0])


@pytest.mark.parametrize("exponent", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("level", [0.0, 0.1])
def test_go_on__goes_on_with_the_law(level: float, exponent: float) -> None:
    errors = level + 1.2 * SIZES**-exponent
    expected = level + 1.2 * 320**-exponent
    assert _at_twice(errors) == pytest.approx(expected, abs=0.004)


def test_go_on__errors_that_fall_no_more_stay() -> None:
    assert _at_twice(np.full(5, 0.2)) == pytest.approx(0.2)
    assert _at_twice([0.1, 0.11, 0.12, 0.13, 0.14]) == pytest.approx(0.13, abs=0.01)


def test_go_on__no_error_stays_none() -> None:
    assert _at_twice([0.2, 0.1, 0.0, 0.0, 0.0]) >= 0
    assert _at_twice(np.zeros(5)) == 0
