"""The line of queued jobs: who is next, and about when it starts."""

import bisect
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from transfer.people import limits
from transfer.runs import estimates, kinds, machines, memory, vanished
from transfer.store.record import Job, Run
from transfer.store.runs import Store
from transfer.store.turns import Turns

#: Ended jobs of a kind from which the time of the next one is told.
_LAST = 5
#: Seconds that a job is taken to need where nothing is known, for the order alone.
_GUESS = 600.0

Takes = Callable[[Job], float | None]


class Place(NamedTuple):
    """A queued job's place in the line.

    Attributes:
        position: 1 for the next one of those that wait for the same room.
        seconds: Until it starts; `None` where nothing is known of one before it.
        why: What it waits for besides those before it; empty for nothing.
    """

    position: int
    seconds: float | None
    why: str = ""


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

    others = machines.others(store)
    room, owners = machines.room(others), {one.owner for one in waiting}
    began = {of_room: store.last_begun(of_room, owners) for of_room in room}
    active = store.active()
    rests = limits.rests(store, owners)
    in_line = [one for one in waiting if not rests[one.owner]]
    now = store.machines.now()  # by the clock of the times at which jobs began
    found = line_up(in_line, active, room, takes, began, now)
    if not others:
        found |= _short_of_memory(found, in_line, active)
    resting = [one for one in waiting if rests[one.owner]]
    for position, one in enumerate(resting, len(in_line) + 1):
        found[one.id] = Place(position, None, rests[one.owner])
    return found


def _short_of_memory(
    found: Mapping[str, Place], waiting: Sequence[Job], active: Sequence[Job]
) -> dict[str, Place]:
    """The places of those that would start at once, if memory were not short.

    Those behind them wait with them.
    """
    here = [one for one in active if vanished.is_here(one)]
    by_id = {one.id: one for one in waiting}
    changed, why = dict[str, Place](), ""
    for job_id, place in found.items():
        is_next = place.position == 1
        if is_next:
            starts = place.seconds == 0.0
            why = memory.shortage(by_id[job_id], here) if starts else ""
        if why:
            says = why if is_next else ""
            changed[job_id] = place._replace(seconds=None, why=says)
    return changed


def line_up(
    waiting: Sequence[Job],
    active: Sequence[Job],
    room: Mapping[tuple[str, ...], int],
    takes: Takes,
    began: Mapping[tuple[str, ...], Mapping[str | None, float]] | None = None,
    now: float | None = None,
) -> dict[str, Place]:
    """The place of each waiting job by its id, the next one of each room first.

    Args:
        waiting: Who waits.
        active: Who is being done.
        room: For kinds of work how many jobs of them are done at a time.
        takes: Seconds that a job takes; `None` where nothing is known.
        began: For kinds of work when one of each owner began last.
        now: Seconds since 1970; `None` is the present.
    """
    now = time.time() if now is None else now
    found: dict[str, Place] = {}
    for of_room, slots in room.items():
        # Each room has a line of its own: light work does not wait for heavy work.
        at_work = [_Slot.of(one, takes, now) for one in active if one.kind in of_room]
        in_line = [
            one
            for one in waiting
            if one.kind in of_room and one.priority > kinds.GIVES_WAY
        ]
        last = (began or {}).get(of_room, {})
        turns = Turns(in_line, [one.owner for one in at_work], last)
        found |= _in_turn(turns, at_work, slots, takes)
    yielding = [one for one in waiting if one.priority <= kinds.GIVES_WAY]
    for position, job in enumerate(yielding, len(found) + 1):
        # It starts once nothing else is left, and nobody knows what is still to come.
        alone = position == 1 and not active
        found[job.id] = Place(position, 0.0 if alone else None)
    return found


class _Slot(NamedTuple):
    """Where a job is done: when it is free, whether that is known, whose job it is."""

    seconds: float
    is_known: bool
    owner: str | None

    @classmethod
    def of(cls, job: Job, takes: Takes, now: float) -> "_Slot":
        left = _seconds_left(job, takes, now)
        return cls(_GUESS if left is None else left, left is not None, job.owner)


def _in_turn(
    turns: Turns[Job], at_work: Sequence[_Slot], slots: int, takes: Takes
) -> dict[str, Place]:
    """Places of those who wait for the same room.

    Args:
        turns: Who waits.
        at_work: Those who have some of its slots.
        slots: How many it has.
        takes: As in `line_up`.
    """
    busy = sorted(at_work, key=lambda one: one.seconds)
    found: dict[str, Place] = {}
    start, is_known = 0.0, True
    while True:
        while len(busy) >= slots:
            ended = busy.pop(0)
            turns.end(ended.owner)
            # One of which nothing is known may end before the others.
            is_known = is_known and ended.is_known and all(o.is_known for o in busy)
            start = ended.seconds
        if (job := turns.take()) is None:
            return found
        found[job.id] = Place(len(found) + 1, start if is_known else None)
        needs = takes(job)
        end = start + (_GUESS if needs is None else needs)
        bisect.insort(
            busy,
            _Slot(end, is_known and needs is not None, job.owner),
            key=lambda one: one.seconds,
        )


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
