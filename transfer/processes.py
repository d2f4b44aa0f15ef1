"""Processes that live and do nothing any more: all their threads wait for each other.

Native code can take Python's lock (the GIL) and never give it back. Then no thread of
Python runs, the one that shows signs of life neither, so another process must look.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

#: Seconds without a sign of life after which a process that lives is given up. Longest
#: of all native calls that hold all threads, OpenVINO's conversion held them 2.0 s for
#: ResNet50, with a dozen busy programs on two cores; it grows with the parameters, of
#: which the largest backbone has 14 times as many. Import of Keras: 0.4 s.
LIMIT = 60.0

#: A look counts for no more seconds than this: if much more passed since the last one,
#: the whole machine slept, and the process had no time to show that it lives.
_MOST_SECONDS = 1.0


class Watch:
    """Says for how long signs of life have not changed, as one looks again and again.

    Args:
        clock: Seconds, from any start.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[object, float, float]] = {}

    def seconds(self, name: str, sign: object) -> float:
        """Seconds for which the sign of this name has been the same.

        Args:
            name: Who gives it.
            sign: Anything that changes while all is well.
        """
        now = self._clock()
        last, still, looked_at = self._seen.get(name, (None, 0.0, now))
        still += min(now - looked_at, _MOST_SECONDS)
        self._seen[name] = sign, still if sign == last else 0.0, now
        return self._seen[name][1]

    def forget(self, name: str) -> None:
        """Begins anew with this name."""
        self._seen.pop(name, None)


def environment() -> dict[str, str]:
    """This process' environment, in which `transfer` can be imported from anywhere.

    A process started in it keeps the current folder, so that relative paths mean the
    same to it; PYTHONSAFEPATH keeps modules that lie there from being imported.
    """
    package_parent = str(Path(__file__).resolve().parents[1])
    paths = [package_parent, os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3"),
    }
