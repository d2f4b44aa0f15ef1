"""Who is asked first where one process answers many people."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Lets in one at a time: the most urgent first, of the same who came first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int]] = []
        self._numbers = itertools.count()
        self._is_taken = False

    @contextmanager
    def take(self, urgency: int) -> Iterator[None]:
        """Waits for its turn, which lasts as long as the block.

        Args:
            urgency: The lower goes first.
        """
        ticket = urgency, next(self._numbers)
        with self._changed:
            self._waiting.append(ticket)
            try:
                self._changed.wait_for(lambda: self._is_next(ticket))
                self._is_taken = True
            finally:
                self._waiting.remove(ticket)
        try:
            yield
        finally:
            with self._changed:
                self._is_taken = False
                self._changed.notify_all()

    def _is_next(self, ticket: tuple[int, int]) -> bool:
        return not self._is_taken and ticket == min(self._waiting)
