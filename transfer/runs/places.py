"""The line of queued runs: who is next, and about when it starts."""

import heapq
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from transfer.backbones.freezing import FreezePlan
from transfer.backbones.structure import kept_structure
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.errors import TransferError
from transfer.runs import estimates
from transfer.store.record import Run
from transfer.store.status import JobStatus


class Place(NamedTuple):
    """A queued run's place in the line.

    Attributes:
        position: 1 for the next one.
        seconds: Until it starts; `None` where a run before it was never estimated.
    """

    position: int
    seconds: float | None


def places(
    runs: Sequence[Run],
    slots: int,
    takes: Callable[[TrainConfig], float | None] | None = None,
    now: float | None = None,
) -> dict[str, Place]:
    """The place of each queued run by its id, the next one first.

    Args:
        runs: All runs, in any order.
        slots: Runs at a time.
        takes: Seconds that a run of these settings takes; by default `duration`.
        now: Seconds since 1970; `None` is the present.
    """
    takes, now = takes or duration, time.time() if now is None else now
    active = [run for run in runs if run.status.is_active]
    ends: list[float | None] = [_left(run, takes(run.config), now) for run in active]
    ends += [0.0] * (slots - len(active))
    free = [one for one in ends if one is not None]
    unknown = len(free) < len(ends)
    heapq.heapify(free)
    queued = [run for run in runs if run.status is JobStatus.QUEUED]
    found = {}
    for position, run in enumerate(
        sorted(queued, key=lambda one: (one.created_at, one.id)), 1
    ):
        start = heapq.heappop(free) if free and (not unknown or free[0] == 0) else None
        found[run.id] = Place(position, start)
        needs = takes(run.config)
        if start is None or needs is None:
            unknown = True
        else:
            heapq.heappush(free, start + needs)
    return found


def _left(run: Run, takes: float | None, now: float) -> float | None:
    """Seconds until a run ends, by its estimate and by what its phase still takes."""
    if takes is None:
        return None
    begun = now - (run.started_at or now)
    return max(takes - begun, run.progress.get("seconds_left") or 0.0, 1.0)


def duration(config: TrainConfig) -> float | None:
    """Seconds that a run of these settings takes here, if its backbone is known."""
    try:
        return _duration(config)
    except (TransferError, LookupError):
        return None


@lru_cache(maxsize=64)
def _duration(config: TrainConfig) -> float:
    structure = kept_structure(config.backbone, config.image_size)
    if structure is None:
        raise LookupError("no structure is kept of it yet")
    revision = library.load(config.dataset, config.revision)
    images = len(revision.of_split("train")), len(revision.of_split("val"))
    resolved = FreezePlan.parse(config.freeze).resolve(structure)
    return estimates.estimate(config, resolved, images).seconds
