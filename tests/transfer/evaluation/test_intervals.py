"""Intervals of shares hold what they promise."""

import numpy as np

from tests.transfer.evaluation.answers import coverage
from transfer.evaluation import intervals


def test_wilson__intervals_cover_the_share() -> None:
    hits = np.random.default_rng(0).binomial(150, 0.85, 4000)
    _, low, high = intervals.wilson_arrays(hits, 150)
    assert 0.93 <= coverage(low, high, 0.85) <= 0.97
