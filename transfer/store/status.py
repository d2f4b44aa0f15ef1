"""The states of a job, and the one table of which may follow which."""

from enum import StrEnum

from transfer.errors import RunError


class JobStatus(StrEnum):
    """Where a job stands.

    `stopped` ended on purpose, a run with its best weights; `failed` ended by an error
    that it named; `interrupted` lost its process. A run goes on from these three.
    """

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_active(self) -> bool:
        """Whether a process has the job: `running` or `stopping`."""
        return self in (JobStatus.RUNNING, JobStatus.STOPPING)

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return not self.is_active and self is not JobStatus.QUEUED

    @property
    def is_resumable(self) -> bool:
        """Whether it has ended before its time, so that it can be queued again."""
        return self.is_final and JobStatus.QUEUED in TRANSITIONS[self]


_ENDS = frozenset(
    {
        JobStatus.STOPPED,
        JobStatus.COMPLETED,
        JobStatus.FAILED,
        JobStatus.INTERRUPTED,
    }
)

TRANSITIONS: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.STOPPED}),
    # Back into the queue goes a run whose worker stood still, and what gives way.
    JobStatus.RUNNING: _ENDS | {JobStatus.STOPPING, JobStatus.QUEUED},
    JobStatus.STOPPING: _ENDS,
    JobStatus.INTERRUPTED: frozenset({JobStatus.QUEUED}),
    JobStatus.STOPPED: frozenset({JobStatus.QUEUED}),
    JobStatus.FAILED: frozenset({JobStatus.QUEUED}),
    JobStatus.COMPLETED: frozenset(),
}


def check_transition(job: str, now: JobStatus, to: JobStatus) -> None:
    """Returns quietly where the job may go from `now` to `to`.

    Args:
        job: What it is called in the message: `Run 0123abcd`.

    Raises:
        RunError: It may not; the message says its state and what can follow.
    """
    if to in TRANSITIONS[now]:
        return
    follows = ", ".join(sorted(TRANSITIONS[now]))
    raise RunError(
        f"{job} is {now}, so it cannot become {to}.",
        f"What is {now} can only become: {follows}."
        if follows
        else f"What is {now} has ended for good; start it anew with the same settings.",
    )
