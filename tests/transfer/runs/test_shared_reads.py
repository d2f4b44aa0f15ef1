"""What many look at is made once."""

from dataclasses import replace

from transfer.config import TrainConfig
from transfer.runs.shared_reads import OnceAWhile, OncePerHeartbeat
from transfer.store.record import Run
from transfer.store.status import JobStatus

RUN = Run(
    id="01234567",
    name="flowers",
    status=JobStatus.RUNNING,
    config=TrainConfig(dataset="flowers"),
    dataset="flowers",
    revision="",
    created_at=0.0,
    heartbeat_at=1.0,
)


def test_get__anew_at_a_heartbeat_and_at_the_end() -> None:
    once, made = OncePerHeartbeat[int](), iter(range(9))
    beaten = replace(RUN, heartbeat_at=2.0)
    ended = replace(beaten, status=JobStatus.COMPLETED)
    seen = [once.get(run, lambda: next(made)) for run in (RUN, RUN, beaten, ended)]
    assert seen == [0, 0, 1, 2]


def test_once_a_while__is_made_anew_after_its_time() -> None:
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    lasting, fleeting = OnceAWhile[int](600.0), OnceAWhile[int](0.0)
    assert lasting.value is None
    assert [lasting.get(make), lasting.get(make), lasting.value] == [0, 0, 0]
    assert [fleeting.get(make), fleeting.get(make), fleeting.value] == [1, 2, None]


def test_once_a_while__is_made_anew_once_it_is_known_to_have_changed() -> None:
    lasting, made = OnceAWhile[int](600.0), iter(range(9))
    assert lasting.get(lambda: next(made)) == lasting.get(lambda: next(made)) == 0
    lasting.forget()
    assert lasting.value is None
    assert lasting.get(lambda: next(made)) == 1
