"""Turns: one at a time, the most urgent first."""

import threading

from tests.patience import PATIENCE
from transfer.prediction.turns import Turns


class Waiting(list[tuple[int, int]]):
    """Says when somebody has joined."""

    def __init__(self) -> None:
        self.joined = threading.Semaphore(0)

    def append(self, ticket: tuple[int, int]) -> None:
        super().append(ticket)
        self.joined.release()


def test_take__the_most_urgent_first_then_who_came_first() -> None:
    turns, waiting, order = Turns(), Waiting(), []
    turns._waiting = waiting

    def ask(name: str, urgency: int) -> None:
        with turns.take(urgency):
            order.append(name)

    threads = []
    with turns.take(0):
        waiting.joined.acquire()
        wanted = [("folder", 3), ("map", 1), ("first", 0), ("second", 0)]
        for asked in wanted:
            threads.append(threading.Thread(target=ask, args=asked))
            threads[-1].start()
            assert waiting.joined.acquire(timeout=PATIENCE)
    for thread in threads:
        thread.join(PATIENCE)
    assert order == ["first", "second", "map", "folder"]


def test_take__one_that_fails_lets_the_next_in() -> None:
    turns = Turns()
    try:
        with turns.take(0):
            raise ValueError
    except ValueError:
        pass
    with turns.take(1):
        assert turns._waiting == []
