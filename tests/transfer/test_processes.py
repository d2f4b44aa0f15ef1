"""Who gives no new sign of life, and since when."""

import pytest

from transfer.processes import Watch


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def seconds(watch: Watch, clock: Clock, *signs: object, pause: float = 1.0) -> float:
    """What is said of the last of these signs, each seen a pause after the other."""
    for sign in signs:
        clock.now += pause
        said = watch.seconds("one", sign)
    return said


def test_seconds__counts_while_the_sign_stays(clock: Clock) -> None:
    assert seconds(Watch(clock), clock, *[7] * 41, pause=0.5) == 20.0


def test_seconds__a_new_sign_begins_anew(clock: Clock) -> None:
    watch = Watch(clock)
    seconds(watch, clock, *[7] * 50)
    assert seconds(watch, clock, 8) == 0.0
    assert seconds(watch, clock, 8, 8) == 2.0


def test_seconds__a_machine_that_slept_for_a_night_counts_one(clock: Clock) -> None:
    watch = Watch(clock)
    seconds(watch, clock, 7, 7)
    assert seconds(watch, clock, 7, pause=30_000.0) == 2.0


def test_forget__begins_anew(clock: Clock) -> None:
    watch = Watch(clock)
    seconds(watch, clock, *[7] * 50)
    watch.forget("one")
    assert seconds(watch, clock, 7) == 0.0
