"""How long tests wait for other processes: until the event, whatever their speed."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Seconds after which something counts as never happening, on the slowest machine.
PATIENCE = 600


def wait_for(look: Callable[[], T]) -> T:
    """What `look` gives, once that counts as true."""
    until, pause = time.monotonic() + PATIENCE, threading.Event()
    while time.monotonic() < until:
        if found := look():
            return found
        pause.wait(0.05)
    raise TimeoutError(f"It did not happen within {PATIENCE} seconds.")
