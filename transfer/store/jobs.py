"""The life of a job: begun, alive, asked to stop, ended, begun again."""

import os
from typing import Any

from transfer import processes
from transfer.errors import NotAllowedError, RunError
from transfer.store import rows
from transfer.store.datasets import Datasets
from transfer.store.people import People
from transfer.store.record import Job, label
from transfer.store.status import JobStatus, check_transition
from transfer.store.taking import Taking

# Every change is made in one transaction with the look at what the job is now: a
# supervisor may give it up, and a user stop it, while its own process writes.

#: What is known of a process, where there is none.
_NO_PROCESS: dict[str, Any] = dict.fromkeys(
    ("host", "pid", "pid_started_at", "heartbeat_at", "stop_requested_at")
)


class Jobs(Taking):
    """What becomes of a job that was taken."""

    def transition(
        self, job_id: str, to: JobStatus, claim: float | None = None, **fields: Any
    ) -> Job:
        """The job after its change to another status, with other columns if given.

        Args:
            claim: As in `heartbeat`.

        Raises:
            NotFoundError: There is no job of that id.
            RunError: The job cannot become that from what it is now.
        """
        with self._database.writing() as connection:
            row = rows.lock(connection, job_id, claim)
            check_transition(label(row["kind"], job_id), JobStatus(row["status"]), to)
            if to.is_final:
                fields["ended_at"] = rows.now(connection)
            rows.change(connection, job_id, status=to.value, **fields)
        return self.get_job(job_id)

    def begin(self, job_id: str, pid: int | None = None) -> Job:
        """Notes which process does the job; `None` is the calling one.

        Raises:
            RunError: The job is not one that a queue has just taken, or was given to
                another process since this one was asked for.
        """
        claim = None if pid else processes.claim()
        pid = pid or os.getpid()
        # The supervisor notes it as well as the process itself: whoever comes first.
        self._touch(
            job_id,
            claim,
            host=processes.this_machine(),
            pid=pid,
            pid_started_at=processes.start_of(pid),
        )
        return self.get_job(job_id)

    def heartbeat(
        self,
        job_id: str,
        progress: dict[str, Any] | None = None,
        claim: float | None = None,
    ) -> JobStatus:
        """Notes that the process lives, and how far it is; `running` or `stopping`.

        Args:
            progress: `None` keeps what it was.
            claim: `started_at` of the job as its process took it.

        Raises:
            RunError: The job is not the process' any more; it must end.
        """
        changes = {} if progress is None else {"progress": progress}
        return self._touch(job_id, claim, **changes)

    def request_stop(self, job_id: str) -> Job:
        """Asks for the end of a job: a queued one is stopped at once.

        Raises:
            RunError: The job is neither queued nor running; it says what it is.
            NotAllowedError: It is somebody else's.
        """
        self.check("stop", job_id)
        with self._database.writing() as connection:
            row, now = rows.lock(connection, job_id), rows.now(connection)
            status = JobStatus(row["status"])
            if status is JobStatus.QUEUED:
                # No process has it, so nobody else would end it.
                to, changes = JobStatus.STOPPED, {"ended_at": now}
            elif status is JobStatus.RUNNING:
                to, changes = JobStatus.STOPPING, {"stop_requested_at": now}
            else:
                called = label(row["kind"], job_id)
                raise RunError(
                    f"{called} is {status}: only what is queued or running can be "
                    "stopped."
                )
            rows.change(connection, job_id, status=to.value, **changes)
        return self.get_job(job_id)

    def finish(
        self,
        job_id: str,
        status: JobStatus,
        result: dict[str, Any] | None = None,
        error: dict[str, str] | None = None,
        claim: float | None = None,
    ) -> Job:
        """The job after its end, with what came of it or what ended it.

        Args:
            status: `completed`, `stopped`, `failed` or `interrupted`.
            result: `None` keeps that of an earlier end, for a run that was resumed.
            error: `kind`, `message` and `hint`.
            claim: As in `heartbeat`.

        Raises:
            RunError: The job had ended before, or another process has it.
        """
        # A run that fails once it was resumed still has the model that it had before.
        known = {} if result is None else {"result": result}
        return self.transition(job_id, status, claim, error=error or {}, **known)

    def resume(self, job_id: str) -> Job:
        """A job that ended before its time, queued again; all that it has is kept.

        Raises:
            RunError: The job is completed, or has not ended.
            NotAllowedError: It is somebody else's.
        """
        self.check("change", job_id)
        again = {**_NO_PROCESS, "ended_at": None, "error": {}, "progress": {}}
        again |= {"priority": 0}  # who was moved to the front once is not for ever
        return self.transition(job_id, JobStatus.QUEUED, **again)

    def share(self, run_id: str, sharing: str) -> None:
        """Lets others see or change the run, or no more.

        Raises:
            NotFoundError: There is no run of that id.
            NotAllowedError: It is somebody else's, or learnt from the hidden test set:
                with a run its pictures are shared.
        """
        self.check("share", run_id)
        hidden = Datasets(self._database).hidden_set()
        if hidden and self.get_job(run_id).dataset == hidden.name:
            raise NotAllowedError(
                "This run learnt from the hidden test set, which nobody else may see."
            )
        with self._database.writing() as connection:
            rows.lock(connection, run_id)
            rows.change(connection, run_id, sharing=sharing)
        People(self._database).note(
            self._scope.actor, "share", f"run {run_id}: {sharing}"
        )

    def give_way(self, job_id: str, claim: float | None) -> Job:
        """A running job, queued again for others go first.

        Args:
            claim: As in `heartbeat`.

        Raises:
            RunError: The job is not running, or another process has it.
        """
        # Without its start, the claim of its old process holds no more: what that one
        # still writes until it is ended is refused.
        again = {**_NO_PROCESS, "started_at": None, "progress": {}}
        return self.transition(job_id, JobStatus.QUEUED, claim, **again)

    def begin_again(
        self, job_id: str, claim: float | None, error: dict[str, str]
    ) -> Job:
        """A job that lost its process: queued again, or interrupted the second time.

        Args:
            claim: As in `heartbeat`.
            error: What became of the process; it stays with the job until its end.

        Raises:
            RunError: The job is not running, or another process has it.
        """
        with self._database.writing() as connection:
            row = rows.lock(connection, job_id, claim)
            to, changes = JobStatus.QUEUED, {**_NO_PROCESS, "progress": {}}
            # Once: what stood still twice would do so for ever.
            if row["error"]:
                ended_at = rows.now(connection)
                to, changes = JobStatus.INTERRUPTED, {"ended_at": ended_at}
            check_transition(label(row["kind"], job_id), JobStatus(row["status"]), to)
            rows.change(connection, job_id, status=to.value, error=error, **changes)
        return self.get_job(job_id)

    def _touch(
        self, job_id: str, claim: float | None = None, **changes: Any
    ) -> JobStatus:
        with self._database.writing() as connection:
            return rows.touch(connection, job_id, claim, **changes)
