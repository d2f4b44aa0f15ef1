"""Who is in the class, what each does now, how far they came, and who is stuck."""

from collections import defaultdict
from collections.abc import Set
from typing import NamedTuple

from transfer.errors import TransferError
from transfer.evaluation import intervals
from transfer.evaluation.intervals import Interval
from transfer.runs import queue
from transfer.runs.kinds import KINDS
from transfer.store.classroom import HAND_IN, Seen, Work
from transfer.store.people import Person, Role
from transfer.store.record import RUN
from transfer.store.runs import Store
from transfer.store.status import JobStatus

#: Seconds since somebody's last step within which they count as here; after which they
#: count as stuck, unless their work goes on; and as gone.
HERE, STUCK, GONE = 5 * 60, 10 * 60, 2 * 60 * 60


class Attendee(NamedTuple):
    """Somebody of the class.

    Attributes:
        seen: Where they were last, and when; `None` if never since they joined.
        ago: Seconds since then; 0 if never.
        does: What works or waits for them now, in words; empty for nothing.
        run: Id of the run that does; empty without one.
        best: Val accuracy of their best run, with its interval.
        best_run: Its id.
        runs: How many of theirs were completed.
        steps: Names of those of the first lesson that they have done.
        trouble: Why they may be stuck, in words; empty if they are not.
        is_here: Whether they did something in the last minutes.
    """

    person: Person
    seen: Seen | None
    ago: float
    does: str
    run: str
    best: Interval | None
    best_run: str
    runs: int
    steps: Set[str]
    trouble: str
    is_here: bool


def attendees(store: Store, now: float | None = None) -> list[Attendee]:
    """The participants; first who is stuck, then who was seen last.

    Args:
        now: Seconds since 1970; `None` is the present by the clock of the store.

    Raises:
        NotAllowedError: Who sees this store is no instructor.
    """
    store.scope.check_server("class")
    now = store.machines.now() if now is None else now
    work = defaultdict[str, list[Work]](list)
    for one in store.classroom.work():
        work[one.owner].append(one)
    seen, steps = store.classroom.last_seen(), store.lesson.all_steps()
    found = [
        _attendee(one, seen.get(one.id), work[one.id], steps.get(one.id, set()), now)
        for one in store.people.all()
        if one.role is Role.PARTICIPANT
    ]
    return sorted(found, key=lambda one: (not one.trouble, -_last_step(one, work)))


def going_on(store: Store) -> list[Work]:
    """What waits or works for participants, what they have handed in too."""
    store.scope.check_server("class")
    participants = {
        one.id for one in store.people.all() if one.role is Role.PARTICIPANT
    }
    return [
        one
        for one in store.classroom.work()
        if (one.owner in participants or one.kind == HAND_IN)
        and not JobStatus(one.status).is_final
    ]


def stop_all(store: Store) -> int:
    """Asks for the end of all that waits or works for participants; how much it was.

    Raises:
        NotAllowedError: Who sees this store is no instructor.
    """
    stopped = 0
    # What waits first: a place that is free would else be taken by it.
    for one in sorted(going_on(store), key=lambda one: one.status != "queued"):
        try:
            queue.stop(store, one.id)
            stopped += 1
        except TransferError:  # it has ended just now, or is stopping already
            continue
    store.people.note(store.scope.actor, "stop all", f"{stopped} jobs")
    return stopped


def _attendee(
    person: Person, seen: Seen | None, work: list[Work], steps: Set[str], now: float
) -> Attendee:
    going = [one for one in work if not JobStatus(one.status).is_final]
    does = max(going, key=lambda one: one.status != "queued", default=None)
    judged = [one for one in work if one.accuracy is not None and one.images]
    best = max(judged, key=lambda one: one.accuracy or 0.0, default=None)
    completed = [one for one in work if one.kind == RUN and one.status == "completed"]
    last = _last(person, seen, work)
    return Attendee(
        person=person,
        seen=seen,
        ago=now - seen.at if seen else 0.0,
        does=f"{does.status}: {does.name or KINDS[does.kind].title}" if does else "",
        run=does.id if does and does.kind == RUN else "",
        best=_interval(best) if best else None,
        best_run=best.id if best else "",
        runs=len(completed),
        steps=steps,
        trouble="" if going else _trouble(work, now - last),
        is_here=now - last < HERE,
    )


def _interval(work: Work) -> Interval:
    images = work.images or 0
    return intervals.wilson((work.accuracy or 0.0) * images, images)


def _trouble(work: list[Work], quiet: float) -> str:
    """Why somebody may be stuck, for whom nothing goes on."""
    if quiet > GONE:
        return ""
    newest = work[-1] if work else None
    if newest and newest.status in ("failed", "interrupted"):
        what = newest.name or KINDS[newest.kind].title
        return f"{what} {newest.status}: {newest.error.get('message', '')}".strip(": ")
    return f"Nothing for {quiet / 60:.0f} minutes" if quiet > STUCK else ""


def _last(person: Person, seen: Seen | None, work: list[Work]) -> float:
    """When somebody last did something, or something ended for them."""
    ends = [one.ended_at or one.created_at for one in work]
    return max(person.created_at, seen.at if seen else 0.0, *ends, 0.0)


def _last_step(one: Attendee, work: dict[str, list[Work]]) -> float:
    return _last(one.person, one.seen, work[one.person.id])
