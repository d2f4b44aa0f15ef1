"""Whether one run is better than another, in words."""

import pytest

from pages.runs import verdict
from transfer.evaluation.comparing import Paired
from transfer.evaluation.intervals import Interval


@pytest.mark.parametrize(
    ("p_value", "difference", "said"),
    [
        (0.001, 0.1, "**B is better than A by 10.0 points**"),
        (0.001, -0.1, "**A is better than B by 10.0 points**"),
        (0.3, 0.1, "**B is not told apart from A**"),
    ],
)
def test_in_words__says_which_is_better(
    p_value: float, difference: float, said: str
) -> None:
    found = Paired(
        images=100,
        only_first=2,
        only_second=12,
        difference=Interval(difference, 0.03, 0.17),
        p_value=p_value,
        classes={},
    )
    assert verdict.in_words("A", "B", found).startswith(said)
