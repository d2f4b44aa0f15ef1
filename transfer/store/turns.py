"""Whose turn it is of those who wait: people take turns, however much each asks for."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Generic, Protocol, TypeVar

#: The same in words, as pages tell it.
RULE = (
    "People take turns: next comes a job of whoever has the fewest at work, and of "
    "those whoever's last one began the longest ago."
)


class Waits(Protocol):
    """A job that waits."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def owner(self) -> str | None: ...
    @property
    def priority(self) -> int: ...
    @property
    def created_at(self) -> float: ...


T = TypeVar("T", bound=Waits)


class Turns(Generic[T]):
    """Those who wait for the same room, taken one by one.

    What was moved to the front has a priority, and goes before all turns.

    Args:
        waiting: Who waits.
        at_work: Owner of each job at work there; where nobody signs in, all have the
            same, and so whoever came first is taken first.
        began: When a job of each owner began last, in seconds since 1970.
    """

    def __init__(
        self,
        waiting: Iterable[T],
        at_work: Iterable[str | None],
        began: Mapping[str | None, float],
    ) -> None:
        self._lines: dict[str | None, deque[T]] = defaultdict(deque)
        for job in sorted(waiting, key=lambda one: _among_own(one)):
            self._lines[job.owner].append(job)
        self._at_work = Counter(at_work)
        self._began = {owner: (0, at) for owner, at in began.items()}
        self._taken = 0

    def next(self) -> T | None:
        """Whose turn it is; `None` if nobody waits."""
        firsts = [line[0] for line in self._lines.values()]
        return min(firsts, key=self._among_all, default=None)

    def take(self) -> T | None:
        """The same, who is at work from now on."""
        job = self.next()
        if job is not None:
            line = self._lines[job.owner]
            line.popleft()
            if not line:
                del self._lines[job.owner]
            self._taken += 1
            self._at_work[job.owner] += 1
            self._began[job.owner] = (self._taken, 0.0)
        return job

    def end(self, owner: str | None) -> None:
        """Notes that a job of this owner is not at work any more."""
        self._at_work[owner] -= 1

    def _among_all(self, job: T) -> tuple[object, ...]:
        began = self._began.get(job.owner, (0, 0.0))
        return -job.priority, self._at_work[job.owner], began, *_among_own(job)[1:]


def _among_own(job: Waits) -> tuple[int, float, str]:
    """What tells the order of somebody's own jobs."""
    return -job.priority, job.created_at, job.id
