"""What is said where a run's curves are."""

import pytest

from pages.runs import reading
from transfer.config import TrainConfig
from transfer.store.runs import Store


@pytest.mark.parametrize(
    "settings, says, says_not",
    [
        ({}, "**Parameter sharing**", "**Feature sharing**"),
        ({"freeze": "last:1"}, "**Feature sharing**", "**Parameter sharing**"),
        ({"freeze": "last:1"}, "more: last block", "head alone"),
        ({"weights": "random"}, "nothing is transferred", "**Parameter sharing**"),
        ({}, "$L(θ) = E[ℓ(y, f_θ(x))]$", "closed form"),
        ({"method": "instant"}, "in closed form", "L(θ)"),
        ({"method": "source"}, "Nothing is learnt", "L(θ)"),
    ],
)
def test_in_words__are_those_of_the_run(
    settings: dict[str, str], says: str, says_not: str, workspace: object
) -> None:
    store = Store()
    words = reading.in_words(store.create(TrainConfig.of(dataset="pets", **settings)))
    store.close()
    assert says in words and says_not not in words
