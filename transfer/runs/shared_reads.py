"""What is made of a run as it goes on, once for all who look at it."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from transfer.store.record import Run

T = TypeVar("T")


class OncePerHeartbeat(Generic[T]):
    """A value that is made anew when the worker has said that it lives.

    A worker stores what it measured and then says so: without a new heartbeat nothing
    is new. Twenty visitors each second would otherwise do the same work twenty times,
    on the machine that trains.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: tuple[object, T] | None = None

    def get(self, run: Run, make: Callable[[], T]) -> T:
        """The value as of this heartbeat; `make` is never called twice at a time."""
        # The status as well: the end of a run comes without a heartbeat.
        state = run.heartbeat_at, run.status
        with self._lock:
            if self._made is None or self._made[0] != state:
                self._made = state, make()
            return self._made[1]


class OnceAWhile(Generic[T]):
    """A value that stands for some time.

    Args:
        seconds: For which it stands.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self._until = seconds, 0.0
        self._lock = threading.Lock()
        self._value: T | None = None

    @property
    def value(self) -> T | None:
        """The value, while it stands."""
        # Without the lock: who only looks shall not wait for who makes it anew.
        return self._value if time.monotonic() < self._until else None

    def forget(self) -> None:
        """Has it made anew for whoever asks next: it is known to have changed."""
        with self._lock:
            self._until = 0.0

    def get(self, make: Callable[[], T]) -> T:
        """The value; `make` is never called twice at a time."""
        with self._lock:
            if (value := self.value) is None:
                value = self._value = make()
                self._until = time.monotonic() + self._seconds
            return value
