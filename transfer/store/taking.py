"""The jobs of the store as they are taken out of the line, in turn."""

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from transfer.store import claims, rows
from transfer.store.line import Line
from transfer.store.record import Job
from transfer.store.status import JobStatus
from transfer.store.tables import jobs


class Taking(Line):
    """Who is next, and who is taken."""

    def next_in_turn(
        self,
        host: str,
        room: Mapping[tuple[str, ...], int],
        lowest: int = 0,
        living: Mapping[str, str] | None = None,
        held: Collection[str | None] = (),
    ) -> Job | None:
        """The job whose turn it is on this host; `None` if all must wait.

        Whoever is of priority below 0 waits until nothing else does, and nothing is
        done on this host.

        Args:
            room: For kinds of work how many jobs of them are done on a host at a time.
            lowest: Priority of those that are taken at the least.
            living: Kinds of jobs whose processes live, by id. They take up room also
                once the job has ended, until they are gone.
            held: Owners whose jobs wait whoever's turn it is.
        """
        with self._database.reading() as connection:
            turn = host, room, lowest, living or {}, held
            first = claims.find(connection, *turn)
        return self.get_job(first.id) if first else None

    def claim_next(
        self,
        host: str,
        room: Mapping[tuple[str, ...], int],
        lowest: int = 0,
        living: Mapping[str, str] | None = None,
        held: Collection[str | None] = (),
        only: str = "",
        most: float | None = None,
    ) -> Job | None:
        """The same, `running` on this host from now on.

        In one transaction, so that two processes that ask at once cannot get the same
        job nor do more than there is room for.

        Args:
            only: Id of the job that is taken, if it is still its turn; empty for any.
            most: Jobs that its owner may have at work, on all hosts together.
        """
        if not self.waiting(limit=1):  # nearly always, and this keeps no writer waiting
            return None
        with self._database.writing(alone=True) as connection:
            turn = host, room, lowest, living or {}, held
            first = claims.find(connection, *turn)
            if first is None or (only and first.id != only):
                return None
            if most is not None and claims.at_work(connection, first.owner) >= most:
                return None
            if not rows.take(connection, first.id, host=host):
                return None
        return self.get_job(first.id)

    def last_begun(
        self, kinds: Collection[str], owners: Collection[str | None]
    ) -> dict[str | None, float]:
        """When a job of these kinds began last, of each of these who has had one."""
        with self._database.reading() as connection:
            return claims.last_begun(connection, kinds, owners)

    def put_first(self, job_ids: Sequence[str]) -> None:
        """Has these taken before all turns, in this order; who waits no more stays."""
        with self._database.writing(alone=True) as connection:
            for priority, job_id in enumerate(reversed(job_ids), 1):
                waits = (jobs.c.id == job_id) & (
                    jobs.c.status == JobStatus.QUEUED.value
                )
                changed = sa.update(jobs).where(waits).values(priority=priority)
                connection.execute(changed)
