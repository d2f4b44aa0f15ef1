"""How often somebody may be wrong."""

import threading
import time
from collections import deque

from transfer.errors import NotAllowedError


class Tries:
    """Counts wrong tries, of all that is guessed at, in the memory of the server.

    Args:
        seconds: For which a wrong try counts.
    """

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._wrong: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def check(self, key: str, most: int) -> None:
        """Returns quietly where another try may be made.

        Args:
            key: What is guessed at, or who guesses.
            most: Wrong tries of it in the time for which they count.

        Raises:
            NotAllowedError: There were too many; it says how long to wait.
        """
        with self._lock:
            self._forget_old()
            wrong = self._wrong.get(key)
            if wrong is None or len(wrong) < most:
                return
            left = wrong[0] + self._seconds - time.monotonic()
        raise NotAllowedError(
            "There were too many wrong tries.", f"Wait {max(left, 1):.0f} seconds."
        )

    def fail(self, key: str) -> None:
        """Counts a wrong try."""
        with self._lock:
            self._wrong.setdefault(key, deque()).append(time.monotonic())

    def _forget_old(self) -> None:
        before = time.monotonic() - self._seconds
        for key, wrong in list(self._wrong.items()):
            while wrong and wrong[0] < before:
                wrong.popleft()
            if not wrong:
                del self._wrong[key]
