"""Amounts as they are shown."""

import pytest

from pages.shared import amounts


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (5, "just now"),
        (60, "1 minute ago"),
        (7199, "1 hour ago"),
        (3 * 86400, "3 days ago"),
    ],
)
def test_ago__in_the_largest_unit(seconds: float, said: str) -> None:
    assert amounts.ago(seconds) == said
