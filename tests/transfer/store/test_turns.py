"""Whose turn it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from transfer.store.turns import Turns


@dataclass(frozen=True)
class Waiting:
    """Somebody's job, called by its owner and number."""

    owner: str | None
    number: int
    priority: int = 0
    kind: str = "run"

    @property
    def id(self) -> str:
        return f"{self.owner}{self.number}"

    @property
    def created_at(self) -> float:
        return float(self.number)


def alone(turns: Turns[Waiting]) -> Iterator[str]:
    """Who is taken where one is done at a time."""
    while job := turns.take():
        yield job.id
        turns.end(job.owner)


def in_turn(waiting: Sequence[Waiting], **began: float) -> str:
    return " ".join(alone(Turns(waiting, [], began)))


ANNAS = [Waiting("a", number) for number in range(10)]


def test_turns__ten_of_one_do_not_delay_the_first_of_another() -> None:
    """Eleven runs of two people: Bob asks last, and comes second."""
    line = in_turn([*ANNAS, Waiting("b", 99)])
    assert line == "a0 b99 a1 a2 a3 a4 a5 a6 a7 a8 a9"


def test_turns__whoever_had_the_last_one_waits_for_the_other() -> None:
    bobs = [Waiting("b", 90), Waiting("b", 91), Waiting("b", 92)]
    assert in_turn([*ANNAS[:4], *bobs], a=50.0) == "b90 a0 b91 a1 b92 a2 a3"
    assert in_turn([*ANNAS[:4], *bobs], a=50.0, b=60.0) == "a0 b90 a1 b91 a2 b92 a3"


def test_turns__a_third_who_comes_new_is_next() -> None:
    new = Waiting("c", 99)
    assert in_turn([*ANNAS[:2], Waiting("b", 9), new], a=50.0, b=40.0) == "c99 b9 a0 a1"


def test_turns__fewest_at_work_before_longest_ago() -> None:
    began = {"a": 10.0, "b": 20.0}
    turns = Turns([Waiting("a", 1), Waiting("b", 2)], ["a"], began)
    first = turns.next()
    assert first and first.id == "b2"
    turns.end("a")
    first = turns.next()
    assert first and first.id == "a1"


def test_turns__what_was_moved_goes_before_them() -> None:
    moved = [Waiting("a", 8, priority=1), Waiting("a", 9, priority=2)]
    assert in_turn([*ANNAS[:2], Waiting("b", 0), *moved]) == "a9 a8 b0 a0 a1"


@pytest.mark.parametrize("owner", [None, "a"])
def test_turns__in_the_order_of_coming_where_all_are_one(owner: str | None) -> None:
    waiting = [Waiting(owner, number) for number in (3, 1, 2)]
    turns = Turns(waiting, [owner], {})
    assert list(alone(turns)) == [f"{owner}{number}" for number in (1, 2, 3)]
    assert turns.take() is None
