"""Blends of where a phase started and what it came to."""

import numpy as np
import pytest

from transfer.training.blends import Trail
from transfer.training.snapshot import Snapshot

ZERO, ONE = np.zeros(2, np.float32), np.ones(2, np.float32)


def trail_of(*ends: float) -> Trail:
    """A phase that started from 0, with an end for each epoch."""
    trail = Trail(start={"kernel": ZERO})
    for end in ends:
        trail.add({"kernel": end * ONE, "other": ONE})
    return trail


def test_blends__lie_between_the_start_and_both_goals() -> None:
    tried = list(trail_of(2.0, 4.0, 6.0).blends({"kernel": 8 * ONE}))
    values = [float(weights["kernel"][0]) for _, weights in tried]
    assert values == [2.0, 4.0, 6.0, 1.0, 2.0, 3.0, 4.0]
    assert tried[0][0] == "25% of the way from the head phase to the last epoch"


@pytest.mark.parametrize("trail", [Trail(), trail_of()], ids=["no start", "no epoch"])
def test_blends__none_without_a_start_or_an_epoch(trail: Trail) -> None:
    if not trail.start:
        trail.add({"kernel": ONE})
    assert not list(trail.blends({"kernel": ONE}))


def test_restore__goes_on_to_the_same_mean() -> None:
    left = trail_of(1.0, 5.0)
    again = Trail(start={"kernel": ONE})  # a network that was built anew
    again.restore(Snapshot(phase="fine_tune", epoch=2, batch_size=8, **left.state()))
    for trail in (left, again):
        trail.add({"kernel": 9 * ONE})
    np.testing.assert_array_equal(again.mean["kernel"], 5 * ONE)
    assert again.start == left.start and again.epochs == left.epochs == 3
