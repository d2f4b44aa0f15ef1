"""The states of a run and the one table of which may follow which."""

from enum import StrEnum

from transfer.errors import RunError


class RunStatus(StrEnum):
    """Where a run stands.

    `stopped` ended on purpose, with its best weights; `failed` ended by an error that
    it named; `interrupted` lost its worker. These three can be resumed.
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
        """Whether a worker has the run: `running` or `stopping`."""
        return self in (RunStatus.RUNNING, RunStatus.STOPPING)

    @property
    def is_final(self) -> bool:
        """Whether the run has ended."""
        return not self.is_active and self is not RunStatus.QUEUED

    @property
    def is_resumable(self) -> bool:
        """Whether it has ended before its time, so that it can be queued again."""
        return self.is_final and RunStatus.QUEUED in TRANSITIONS[self]


_ENDS = frozenset(
    {
        RunStatus.STOPPED,
        RunStatus.COMPLETED,
        RunStatus.FAILED,
        RunStatus.INTERRUPTED,
    }
)

TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING, RunStatus.STOPPED}),
    # Back into the queue goes a run whose worker stood still.
    RunStatus.RUNNING: _ENDS | {RunStatus.STOPPING, RunStatus.QUEUED},
    RunStatus.STOPPING: _ENDS,
    RunStatus.INTERRUPTED: frozenset({RunStatus.QUEUED}),
    RunStatus.STOPPED: frozenset({RunStatus.QUEUED}),
    RunStatus.FAILED: frozenset({RunStatus.QUEUED}),
    RunStatus.COMPLETED: frozenset(),
}


def check_transition(run: str, now: RunStatus, to: RunStatus) -> None:
    """Returns quietly where the run may go from `now` to `to`.

    Args:
        run: Name or id of the run, for the message.

    Raises:
        RunError: It may not; the message says its state and what can follow.
    """
    if to in TRANSITIONS[now]:
        return
    follows = ", ".join(sorted(TRANSITIONS[now]))
    raise RunError(
        f"Run {run} is {now}, so it cannot become {to}.",
        f"A {now} run can only become: {follows}."
        if follows
        else f"A {now} run has ended for good; start a new one with the same settings.",
    )
