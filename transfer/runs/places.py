"""The line of queued jobs: who is next, and about when it starts."""

import heapq
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from transfer.runs import estimates, kinds
from transfer.store.record import Job, Run
from transfer.store.runs import Store

#: Ended jobs of a kind from which the time of the next one is told.
_LAST = 5

Takes = Callable[[Job], float | None]


class Place(NamedTuple):
    """A queued job's place in the line.

    Attributes:
        position: 1 for the next one of those that wait for the same room.
        seconds: Until it starts; `None` where nothing is known of one before it.
    """

    position: int
    seconds: float | None


def places(store: Store) -> dict[str, Place]:
    """The place of each queued job by its id.

    Raises:
        ConfigError: As `kinds.room`.
        StorageError: The store cannot be read.
    """
    store = store.whole()  # the others stand in the same line
    waiting = store.waiting()
    if not waiting:
        return {}
    known: dict[str, float | None] = {}  # by kind, for twenty exports ask for the same
    factor = estimates.learn_factors(store)

    def takes(job: Job) -> float | None:
        if isinstance(job, Run):
            told = estimates.duration(job.config)
            return told and told * factor(job.config)
        if job.kind not in known:
            known[job.kind] = _median_seconds(store.last_ended(job.kind, _LAST))
        return known[job.kind]

    return line_up(waiting, store.active(), kinds.room(), takes)


def line_up(
    waiting: Sequence[Job],
    active: Sequence[Job],
    room: Mapping[tuple[str, ...], int],
    takes: Takes,
    now: float | None = None,
) -> dict[str, Place]:
    """The place of each waiting job by its id.

    Args:
        waiting: Who waits, in the order in which they are taken.
        active: Who is being done.
        room: For kinds of work how many jobs of them are done at a time.
        takes: Seconds that a job takes; `None` where nothing is known.
        now: Seconds since 1970; `None` is the present.
    """
    now = time.time() if now is None else now
    found: dict[str, Place] = {}
    for of_room, slots in room.items():
        # Each room has a line of its own: light work does not wait for heavy work.
        ends = [_seconds_left(one, takes, now) for one in active if one.kind in of_room]
        ends += [0.0] * (slots - len(ends))
        in_line = [
            one
            for one in waiting
            if one.kind in of_room and one.priority > kinds.GIVES_WAY
        ]
        found |= _in_turn(in_line, ends, takes)
    yielding = [one for one in waiting if one.priority <= kinds.GIVES_WAY]
    for position, job in enumerate(yielding, len(found) + 1):
        # It starts once nothing else is left, and nobody knows what is still to come.
        alone = position == 1 and not active
        found[job.id] = Place(position, 0.0 if alone else None)
    return found


def _in_turn(
    in_line: Sequence[Job], ends: Sequence[float | None], takes: Takes
) -> dict[str, Place]:
    """Places of those who wait for the same room.

    Args:
        ends: Seconds until each of its slots is free; `None` where nothing is known.
    """
    free = [one for one in ends if one is not None]
    unknown = len(free) < len(ends)
    heapq.heapify(free)
    found = {}
    for position, job in enumerate(in_line, 1):
        # A slot of which nothing is known may be free before the others.
        start = heapq.heappop(free) if free and (not unknown or free[0] == 0) else None
        found[job.id] = Place(position, start)
        needs = takes(job)
        if start is None or needs is None:
            unknown = True
        else:
            heapq.heappush(free, start + needs)
    return found


def _seconds_left(job: Job, takes: Takes, now: float) -> float | None:
    """Seconds until a job ends, by its estimate and by what its phase still takes."""
    needs = takes(job)
    if needs is None:
        return None
    # A clock that was set spoils this guess until the job ends, and nothing else.
    begun = now - (job.started_at or now)
    return max(needs - begun, job.progress.get("seconds_left") or 0.0, 1.0)


def _median_seconds(ended: Sequence[Job]) -> float | None:
    """What jobs took; a clock that was set meanwhile spoils one of them, not all."""
    took = [(one.ended_at or 0.0) - (one.started_at or 0.0) for one in ended]
    return max(statistics.median(took), 0.0) if took else None
