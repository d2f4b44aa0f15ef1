"""One function for many items: on this machine, and on others where there are some.

Others are there where `TRANSFER_ENGINE` is ray. What travels is what the function takes
and gives: names, paths and hashes of what lies in the shared workspace, never pixels.

Whoever asks works too, so that there is an end even where all cores of the cluster are
taken, by the very jobs that ask perhaps, or where a machine is lost.
"""

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Future,
    ThreadPoolExecutor,
    wait,
)
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from transfer import cluster, processes

#: Items that are worked at before those in front of them are taken.
_AHEAD = 256
#: Items of one task: for a picture takes some milliseconds, and a task one.
TASK = 64
#: Seconds without an answer from others after which an idle thread does their work: the
#: start of a process there and a model that it loads take less.
_PATIENCE = 5.0
#: Tasks that may fail elsewhere, beyond those that end well, until no more are sent.
_MOST_FAILED = 3

Item = TypeVar("Item")
Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class Machines(Protocol):
    """Other machines; `cluster.Cores` are those of Ray."""

    def count(self) -> int:
        """Cores that are free for this: as many pieces are worked at at a time."""
        ...

    def send(self, work: Callable[[], Any]) -> "Future[Any]":
        """Has it done by one of those that `count` has counted."""
        ...

    def take_back(self, sent: "Future[Any]") -> None:
        """Does without it."""
        ...


def each(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    threads: int = 0,
    ahead: int = _AHEAD,
    task: int = TASK,
    is_doubtful: Callable[[Result], bool] = lambda _: False,
) -> Generator[Result, None, None]:
    """What a function gives for each item, in their order.

    Whoever takes no more of them stops the work; what it has written stays.

    Args:
        function: One of a module, or a `partial` of one, if other machines are to call
            it. To call it twice does no more than to call it once.
        items: Taken one after the other, so that they need not be in memory.
        threads: That call it here; 0 is one for each core.
        ahead: Items that are worked at before those in front of them are taken; where
            there are other machines it is as many as keep them busy.
        task: Items of one task of another machine; 0 leaves them out.
        is_doubtful: Whether another machine may have found this since it lacks what
            this one has, such as a folder; then it is found here once more.
    """
    threads = threads or processes.cores()
    if not task or not cluster.is_used():
        yield from _each_here(function, items, threads, ahead)
        return
    work = Spread(cluster.cores(), function, items, threads, task)
    for piece, found, is_from_here in work.results():
        doubted = [not is_from_here and is_doubtful(one) for one in found]
        if any(doubted):
            work.doubt()
        for item, one, is_again in zip(piece, found, doubted, strict=True):
            yield function(item) if is_again else one


#: Whether anybody still waits for what a thread works at.
_here = threading.local()


def go_on() -> None:
    """Returns quietly where somebody waits for what this thread works at.

    A function that takes long asks it now and then.

    Raises:
        CancelledError: Nobody does.
    """
    is_over: threading.Event | None = getattr(_here, "is_over", None)
    if is_over and is_over.is_set():
        raise CancelledError


def _each_here(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int, ahead: int
) -> Iterator[Result]:
    rest = iter(items)
    pool = ThreadPoolExecutor(threads)
    try:
        first = itertools.islice(rest, ahead)
        waiting = deque(pool.submit(function, item) for item in first)
        while waiting:
            result = waiting.popleft().result()
            waiting += [pool.submit(function, x) for x in itertools.islice(rest, 1)]
            yield result
    finally:
        # Threads must have ended before a folder that they write to is removed.
        pool.shutdown(wait=True, cancel_futures=True)


class Spread(Generic[Item, Result]):
    """Work on pieces here and elsewhere at once.

    Args:
        machines: The others.
        function: As in `each`.
        items: As in `each`.
        threads: As in `each`.
        task: Items of a piece.
        patience: Seconds without an answer from others after which their pieces are
            worked at here too.
    """

    def __init__(
        self,
        machines: Machines,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        threads: int,
        task: int,
        patience: float = _PATIENCE,
    ) -> None:
        self._machines, self._function = machines, function
        self._items, self._task = iter(items), task
        self._threads, self._patience = threads, patience
        self._pool, self._is_over = ThreadPoolExecutor(threads), threading.Event()
        # Pieces by their number, until they are done; then what was found.
        self._pieces: dict[int, list[Item]] = {}
        self._found: dict[int, tuple[list[Result], bool]] = {}
        self._numbers, self._first = itertools.count(), 0
        self._to_do_here: deque[int] = deque()
        self._here: dict[Future[Any], int] = {}
        self._sent: dict[Future[Any], int] = {}
        self._cores, self._cores_seen = 0, -1e9
        self._is_late, self._balance = False, _MOST_FAILED

    def results(self) -> Iterator[tuple[list[Item], list[Result], bool]]:
        """Each piece in order, what was found of it, and whether it was found here."""
        try:
            while True:
                self._hand_out()
                if self._first in self._found:
                    piece = self._pieces.pop(self._first)
                    found, is_from_here = self._found.pop(self._first)
                    self._first += 1
                    yield piece, found, is_from_here
                elif self._pieces:
                    self._wait()
                else:
                    return
        finally:
            self._is_over.set()
            for sent in self._sent:
                self._machines.take_back(sent)
            self._pool.shutdown(wait=True, cancel_futures=True)

    def doubt(self) -> None:
        """What others found of a piece is not believed: it counts as failed."""
        self._balance -= 2

    def _hand_out(self) -> None:
        """Gives everybody something to do."""
        now = time.monotonic()
        if now - self._cores_seen > self._patience:  # some come, some go
            self._cores, self._cores_seen = self._machines.count(), now
        most = self._cores
        while len(self._here) < self._threads:
            number = self._next_for_here(2 * (self._threads + most))
            if number is None:
                break
            work = partial(self._do_here, self._pieces[number])
            self._here[self._pool.submit(work)] = number
        if self._is_late or self._balance <= 0:
            return
        while len(self._sent) < most:
            number = self._next(2 * (self._threads + most))
            if number is None:
                break
            work = partial(_call, self._function, self._pieces[number])
            self._sent[self._machines.send(work)] = number

    def _next(self, ahead: int) -> int | None:
        """A piece that nobody has worked at, if there is one and it may be begun."""
        if len(self._pieces) >= ahead:
            return None
        piece = list(itertools.islice(self._items, self._task))
        if not piece:
            return None
        number = next(self._numbers)
        self._pieces[number] = piece
        return number

    def _next_for_here(self, ahead: int) -> int | None:
        if self._to_do_here:
            return self._to_do_here.popleft()
        number = self._next(ahead)
        if number is None and self._is_late:
            left = set(self._sent.values()) - set(self._here.values())
            return min(left - set(self._found), default=None)
        return number

    def _wait(self) -> None:
        """Until something is done, or the others are late."""
        out = [*self._here, *self._sent]
        done = wait(out, self._patience, FIRST_COMPLETED).done
        if not done and len(self._here) < self._threads:
            self._is_late = True
        for future in done:
            is_from_here = future in self._here
            number = (self._here if is_from_here else self._sent).pop(future)
            if number in self._pieces and number not in self._found:
                self._take(number, future, is_from_here)

    def _take(self, number: int, future: "Future[Any]", is_from_here: bool) -> None:
        if not is_from_here and (error := future.exception()):
            # This machine has the last word: it may have what the other lacks, and if
            # it fails too, its error is the one to tell.
            _log.warning("A shard is worked at again here, it failed: %s", error)
            self._balance -= 1
            if number not in self._here.values():
                self._to_do_here.append(number)
            return
        self._found[number] = future.result(), is_from_here
        if not is_from_here:
            self._is_late, self._balance = False, self._balance + 1
        for sent in [one for one, other in self._sent.items() if other == number]:
            self._machines.take_back(sent)
            del self._sent[sent]

    def _do_here(self, piece: list[Item]) -> list[Result]:
        _here.is_over = self._is_over
        found = []
        for item in piece:
            go_on()
            found.append(self._function(item))
        return found


def _call(function: Callable[[Item], Result], piece: list[Item]) -> list[Result]:
    """What a function gives for each item of a piece; this is what travels."""
    return [function(item) for item in piece]
