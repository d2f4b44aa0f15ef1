"""The kinds of long work, as data: whoever adds one adds a row here.

Heavy work wants the whole machine, so few do it at a time; light work takes a minute or
so and goes on beside it, at a lower priority.
"""

import os
from dataclasses import dataclass
from typing import Any

from transfer.errors import ConfigError
from transfer.runs.engines.host import Host, this_machine
from transfer.store.record import RUN

#: Light jobs that a machine does at a time, at the least.
LIGHT_AT_ONCE = 2  # one alone would let a long import hold up every evaluation
#: Cores for one more heavy job: fewer, and each would wait for the other's threads.
CORES = 4
#: The priority of what gives way to everything else, and is begun anew after it.
GIVES_WAY = -1


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is to be known of a kind of long work.

    Attributes:
        title: What it is called on a page.
        is_light: Whether it goes on beside heavy work.
        needs_keras: Whether it waits for the import of Keras, unless a spare worker
            that has imported it takes it.
        is_resumable: Whether it goes on where it was when its process was lost, so
            that the queue begins it again by itself.
        can_repeat: Whether it may be begun anew by itself, from its beginning if it is
            not resumable, where its machine vanished.
        brings_images: Whether more images are there after it.
        changes_dataset: Whether it needs more than to see the dataset that it is about.
        stop_grace: Seconds after the request to stop when its process is told to end.
        kill_grace: Seconds after that request when it is ended by force.
        memory: Bytes that its process may take; `None` for all of the machine's.
        must_tell: Seconds within which it must come further, or it counts as standing
            still; `None` where nobody knows.
    """

    title: str
    is_light: bool = False
    needs_keras: bool = False
    is_resumable: bool = False
    can_repeat: bool = True
    brings_images: bool = False
    changes_dataset: bool = False
    stop_grace: float = 3.0
    kill_grace: float = 6.0
    memory: int | None = None
    must_tell: float | None = None


# They open what strangers bring. 100,000 pictures took 0.4 GB beside the 1 GB that is
# given to decoding. When their machine vanishes, the dataset may have changed already
# and the upload be gone.
_OF_STRANGERS: Any = {
    "is_light": True,
    "can_repeat": False,
    "brings_images": True,
    "memory": 4 * 10**9,
    "must_tell": 600.0,
}


KINDS: dict[str, Kind] = {
    # A run that is asked to stop keeps its best weights, which takes a while.
    RUN: Kind(
        title="Run",
        needs_keras=True,
        is_resumable=True,
        stop_grace=30.0,
        kill_grace=60.0,
    ),
    "rank": Kind(title="Ranking of backbones", needs_keras=True),
    "depths": Kind(title="Try of freeze depths", needs_keras=True),
    "enough": Kind(title="Learning curve", is_light=True, needs_keras=True),
    "doctor": Kind(title="Look of the doctor", needs_keras=True),
    "rates": Kind(title="Search for learning rates", needs_keras=True),
    "evaluate": Kind(title="Evaluation", is_light=True, needs_keras=True),
    "export": Kind(title="Export", is_light=True, needs_keras=True),
    "measure": Kind(title="Measuring of a backbone", is_light=True, needs_keras=True),
    "imagenet": Kind(title="Question to ImageNet", is_light=True, needs_keras=True),
    "hand-in": Kind(title="Judging by the hidden test set", is_light=True),
    "neighbours": Kind(title="Look at what was learnt from", is_light=True),
    "import": Kind(title="Import", **_OF_STRANGERS),
    "add": Kind(title="Import of more", changes_dataset=True, **_OF_STRANGERS),
    "sort": Kind(
        title="Grouping of pictures",
        is_light=True,
        brings_images=True,
        needs_keras=True,
        can_repeat=False,
        changes_dataset=True,
    ),
    "dataset-export": Kind(title="Export of a dataset", is_light=True),
    "download": Kind(title="Download of weights", is_light=True),
}
# Each of the two has room of its own, so that neither waits for the other.
HEAVY = tuple(name for name, kind in KINDS.items() if not kind.is_light)
LIGHT = tuple(name for name, kind in KINDS.items() if kind.is_light)


def room(host: Host | None = None) -> dict[tuple[str, ...], int]:
    """How many jobs of which kinds a machine does at a time, if memory allows.

    Args:
        host: `None` is this machine.

    Raises:
        ConfigError: As `max_running`.
    """
    host = host or this_machine()
    light = max(LIGHT_AT_ONCE, host.cores // CORES)
    # What is counted may be held by others, too.
    is_free = host.free_cores is None or host.free_cores >= cores_of_heavy(host)
    return {HEAVY: max_running(host) if is_free else 0, LIGHT: light}


def cores_of_heavy(host: Host) -> float:
    """Cores that a heavy job holds, where these are counted; above 1 a whole number."""
    share = min(host.cores / max_running(host), CORES)
    return float(int(share)) if share > 1 else share


def max_running(host: Host | None = None) -> int:
    """Heavy jobs that a machine does at once: `TRANSFER_MAX_RUNNING`, else by cores.

    And no more than it has GPUs, where these are counted.

    Args:
        host: `None` is this machine.

    Raises:
        ConfigError: The variable is not a whole number of at least 1.
    """
    host = host or this_machine()
    named = os.environ.get("TRANSFER_MAX_RUNNING")
    if not named:
        by_cores = max(1, host.cores // CORES)
        return min(by_cores, max(1, int(host.gpus))) if host.gpus else by_cores
    if named.isdecimal() and int(named) >= 1:
        return int(named)
    raise ConfigError(
        f"TRANSFER_MAX_RUNNING is {named!r}, but a whole number of at least 1 was "
        "expected."
    )
