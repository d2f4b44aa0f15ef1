"""A choice of images is kept under an id that its content gives it."""

import pytest

from transfer.datasets import chosen
from transfer.errors import NotFoundError

pytestmark = pytest.mark.usefixtures("workspace")
HASHES = ["b" * 64, "a" * 64]


def test_keep__the_same_choice_has_the_same_id_and_order() -> None:
    one = chosen.keep(HASHES)
    assert chosen.keep([*HASHES, HASHES[0]]) == one != chosen.keep(HASHES[::-1])
    assert chosen.load(one) == HASHES


@pytest.mark.parametrize("name", ["0" * 16, "", "../store.sqlite"])
def test_load__a_choice_that_is_not_kept(name: str) -> None:
    with pytest.raises(NotFoundError, match="Choose them again"):
        chosen.load(name)


def test_discard_old__only_what_nobody_looked_at() -> None:
    one = chosen.keep(HASHES)
    chosen.discard_old()
    assert chosen.load(one) == HASHES
    chosen.discard_old(max_age=-1)
    with pytest.raises(NotFoundError):
        chosen.load(one)
