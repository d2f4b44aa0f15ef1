"""One function for many items: in order, at an end even where others are of no use."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.patience import PATIENCE
from transfer import shards
from transfer.errors import ImageError
from transfer.shards import Spread


def square(number: int) -> int:
    return number * number


class Threads:
    """Other machines that are threads here."""

    def __init__(self, cores: int = 2) -> None:
        self.cores, self.sent, self.back = cores, 0, 0
        self._pool = ThreadPoolExecutor(cores)

    def count(self) -> int:
        return self.cores

    def send(self, work: Callable[[], Any]) -> "Future[Any]":
        self.sent += 1
        return self._pool.submit(work)

    def take_back(self, sent: "Future[Any]") -> None:
        self.back += 1
        sent.cancel()


class Taken(Threads):
    """Others have all cores of these machines, and never give them back."""

    def send(self, work: Callable[[], Any]) -> "Future[Any]":
        self.sent += 1
        return Future()


class Broken(Threads):
    """Whatever these machines are given fails."""

    def send(self, work: Callable[[], Any]) -> "Future[Any]":
        self.sent += 1
        future: Future[Any] = Future()
        future.set_exception(OSError("no such folder here"))
        return future


def spread(machines: Threads, items: int, **how: Any) -> Iterator[int]:
    how = {"threads": 1, "task": 3, "patience": 0.01} | how
    work = Spread(machines, how.pop("function", square), iter(range(items)), **how)
    for _, found, _ in work.results():
        yield from found


def test_each__is_in_order_whoever_is_first() -> None:
    second_is_done = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert second_is_done.wait(PATIENCE)
        if number == 1:
            second_is_done.set()
        return number

    assert [*shards.each(work, range(9), threads=2)] == [*range(9)]


def test_each__begins_no_more_than_is_wanted_soon() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    results = shards.each(square, items(), threads=1, ahead=4)
    assert next(results) == 0
    assert len(taken) <= 6
    results.close()


def test_each__an_error_comes_at_its_place() -> None:
    def work(number: int) -> int:
        if number == 2:
            raise ImageError("damaged")
        return number

    results = shards.each(work, range(5), threads=2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ImageError, match="damaged"):
        next(results)


def test_spread__others_and_this_machine_do_it_together() -> None:
    begun = threading.Barrier(2)
    at = {threading.get_ident()}

    def work(number: int) -> int:
        if threading.get_ident() not in at:
            at.add(threading.get_ident())
            begun.wait(PATIENCE)  # so both must be at work
        return number

    machines = Threads(1)
    assert [*spread(machines, 50, function=work)] == [*range(50)]
    assert machines.sent


def test_spread__ends_where_all_cores_are_taken() -> None:
    machines = Taken(1)
    assert [*spread(machines, 40)] == [number**2 for number in range(40)]
    assert machines.back == machines.sent > 0


def test_spread__what_fails_elsewhere_is_done_here_and_no_more_is_sent() -> None:
    machines = Broken(2)
    assert [*spread(machines, 300)] == [number**2 for number in range(300)]
    assert machines.sent < 20


def test_spread__whose_answers_are_not_believed_is_asked_no_more() -> None:
    machines = Threads(2)
    how = {"threads": 1, "task": 3, "patience": 0.01}
    work = Spread(machines, square, iter(range(3000)), **how)
    for _, _, is_from_here in work.results():
        if not is_from_here:
            work.doubt()
    assert machines.sent < 20


def test_spread__a_cluster_without_cores_is_none() -> None:
    machines = Threads(2)
    machines.cores = 0
    assert [*spread(machines, 10)] == [number**2 for number in range(10)]
    assert not machines.sent


def test_spread__an_error_of_this_machine_is_told() -> None:
    def work(number: int) -> int:
        raise ImageError("damaged")

    with pytest.raises(ImageError, match="damaged"):
        [*spread(Threads(1), 10, function=work)]


def test_spread__whoever_takes_no_more_stops_all() -> None:
    machines = Taken(2)
    results = spread(machines, 10**9)
    assert next(results) == 0
    results.close()
    assert machines.back == machines.sent


def test_go_on__ends_a_long_piece_that_nobody_waits_for() -> None:
    begun, ends = threading.Event(), []

    def work(number: int) -> int:
        if number == 0:
            return 0
        begun.set()
        try:
            while True:
                shards.go_on()
        except CancelledError:
            ends.append(number)
            raise

    machines = Threads(1)
    machines.cores = 0
    results = spread(machines, 2, function=work, task=1)
    assert next(results) == 0
    assert begun.wait(PATIENCE)
    results.close()
    assert ends == [1]


def test_each__without_the_setting_nothing_imports_ray() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from transfer import shards;"
            "print([*shards.each(abs, [-1, 2])], 'ray' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "[1, 2] False"
