"""How often somebody may ask for what costs the machine: one place for all of it.

Counted in the store, for all servers together: by person, or by address where nobody
has signed in. Where nobody signs in at all there is one owner, who is not held up; and
neither are the command line and workers.
"""

import math
import os
from collections.abc import Mapping

from transfer.errors import ConfigError, NotAllowedError, TooOftenError
from transfer.store.runs import Store

#: Seconds over which it is counted; so much may also come at once.
SPAN = 600.0
#: What somebody may ask for in that time.
RATES: Mapping[str, int] = {
    "predict": 10_000,  # pictures; a heat map counts as one
    "upload": 6_000,  # batches of up to 8 MB
    "import": 30,
    "job": 300,  # any other long work, runs among it
    "link": 60_000,  # pictures of galleries, news of a run
    "request": 6_000,  # of a program
    "stranger": 100,  # requests with a token that is none
}
#: Wrong tries in `TRIES_SPAN` seconds: of the workshop's code from one address, behind
#: which a whole class may sit, and of the own code of one name.
TRIES: Mapping[str, int] = {"access": 30, "own": 5}
TRIES_SPAN = 60.0
#: What a person is told that they did too much of.
_SAYS = {
    "predict": "files were asked about",
    "upload": "files were sent",
    "import": "imports were asked for",
    "job": "jobs were asked for",
    "link": "files were fetched",
    "request": "requests came",
    "stranger": "requests without a valid token came",
}


def spend(store: Store, what: str, who: str, count: int = 1) -> None:
    """Counts so much of something; returns quietly where it is not too much.

    Args:
        store: Any view of it.
        what: Of `RATES`; the kind of a job that is not there counts as `job`.
        who: Id of a person, or an address; empty for the owner, who is not held up.

    Raises:
        TooOftenError: It would be too much; nothing is counted.
        ConfigError: As `rate`.
    """
    what = what if what in RATES else "job"
    most = rate(what)
    if not who or not most:
        return
    if wait := math.ceil(store.tallies.spend(what, who, count, most, SPAN)):
        raise TooOftenError(
            f"Too many {_SAYS[what]} in a short time: at most {most:,} in "
            f"{SPAN / 60:.0f} minutes.",
            f"Wait {wait} seconds, then go on.",
            wait,
        )


def check_tries(store: Store, what: str, who: str) -> None:
    """Returns quietly where another try may be made.

    Args:
        what: Is guessed at, of `TRIES`.
        who: Guesses, or whose it is.

    Raises:
        NotAllowedError: There were too many wrong ones; it says how long to wait.
    """
    if wait := math.ceil(store.tallies.wait(what, who, 1, TRIES[what], TRIES_SPAN)):
        raise NotAllowedError(
            "There were too many wrong tries.", f"Wait {wait} seconds."
        )


def count_wrong(store: Store, what: str, who: str) -> None:
    """Counts a wrong try."""
    store.tallies.spend(what, who, 1, TRIES[what], TRIES_SPAN)


def rate(what: str) -> int:
    """How much of it somebody may in `SPAN`: `TRANSFER_RATES`, else `RATES`; 0 for any.

    Raises:
        ConfigError: The variable is not `predict=10000,import=30` and so on.
    """
    named = os.environ.get("TRANSFER_RATES", "")
    for one in filter(None, named.replace(",", " ").split()):
        name, _, most = one.partition("=")
        if name not in RATES or not most.isdecimal():
            raise ConfigError(
                f"TRANSFER_RATES has {one!r}, but names of {', '.join(RATES)} with a "
                "whole number each were expected, such as predict=10000,import=30."
            )
        if name == what:
            return int(most)
    return RATES[what]
