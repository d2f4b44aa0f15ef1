"""Which of the jobs that wait is taken next, within the transaction that takes it."""

from collections import Counter
from collections.abc import Collection, Mapping

import sqlalchemy as sa

from transfer.store.rows import ACTIVE
from transfer.store.status import JobStatus
from transfer.store.tables import jobs
from transfer.store.turns import Turns, Waits

#: What whose turn it is depends on, of those who wait and of those at work.
_WAITING = sa.select(
    jobs.c.id, jobs.c.kind, jobs.c.owner, jobs.c.priority, jobs.c.created_at
).where(jobs.c.status == JobStatus.QUEUED.value, jobs.c.trash == "")
_ACTIVE = sa.select(jobs.c.id, jobs.c.kind, jobs.c.owner, jobs.c.host).where(
    jobs.c.status.in_(ACTIVE)
)


def find(
    connection: sa.Connection,
    host: str,
    room: Mapping[tuple[str, ...], int],
    lowest: int,
    living: Mapping[str, str],
    held: Collection[str | None],
) -> Waits | None:
    """The job that the host takes next; `None` if all must wait.

    Args: As in `Line.claim_next`.
    """
    active = connection.execute(_ACTIVE).all()
    here = {one.id: one.kind for one in active if one.host == host}
    # Counted in the store and not in this process: workers outlive servers, and the
    # command line takes jobs as well.
    busy = Counter({**living, **here}.values())
    waiting = connection.execute(_WAITING.where(jobs.c.priority >= lowest)).all()
    firsts = []
    for kinds in _free(room, busy):
        in_line = [
            one for one in waiting if one.kind in kinds and one.owner not in held
        ]
        at_work = [one.owner for one in active if one.kind in kinds]
        began = last_begun(connection, kinds, {one.owner for one in in_line})
        firsts.append(Turns(in_line, at_work, began).next())
    first = max(filter(None, firsts), key=_foremost, default=None)
    return None if first is None or (first.priority < 0 and busy) else first


def at_work(connection: sa.Connection, owner: str | None) -> int:
    """How many jobs of somebody are at work."""
    of_them = jobs.c.status.in_(ACTIVE) & (jobs.c.owner == owner)
    query = sa.select(sa.func.count()).select_from(jobs).where(of_them)
    return connection.scalar(query) or 0


def last_begun(
    connection: sa.Connection, kinds: Collection[str], owners: Collection[str | None]
) -> dict[str | None, float]:
    """When a job of these kinds began last, of each of these who has had one."""
    if len(owners) < 2:  # nobody takes turns with themselves
        return {}
    is_one = jobs.c.owner.in_([one for one in owners if one is not None])
    query = sa.select(jobs.c.owner, sa.func.max(jobs.c.started_at)).where(
        sa.or_(is_one, jobs.c.owner.is_(None)) if None in owners else is_one,
        jobs.c.kind.in_(kinds),
        jobs.c.started_at.is_not(None),
    )
    found = connection.execute(query.group_by(jobs.c.owner))
    return {owner: at for owner, at in found}


def _foremost(job: Waits) -> tuple[int, float]:
    return job.priority, -job.created_at


def _free(
    room: Mapping[tuple[str, ...], int], busy: Mapping[str, int]
) -> list[tuple[str, ...]]:
    """The kinds of work that there is room for."""
    return [
        kinds
        for kinds, most in room.items()
        if sum(busy.get(one, 0) for one in kinds) < most
    ]
