"""Who gets on how, and who is stuck."""

import time

import pytest

from tests.patience import wait_for
from tests.transfer.classroom.conftest import Class
from tests.transfer.worker.test_killed import settings, wait_for_epoch
from transfer.classroom import attendance, handouts
from transfer.classroom.attendance import Attendee
from transfer.config import TrainConfig
from transfer.errors import NotAllowedError
from transfer.runs import queue
from transfer.store import files
from transfer.store.status import JobStatus


def look(group: Class, after: float = 0.0) -> dict[str, Attendee]:
    """All of the class, so many minutes from now, as Tom sees them."""
    now = time.time() + 60 * after
    found = attendance.attendees(group.seen_by(group.tom), now)
    return {one.person.name: one for one in found}


def test_attendees__are_for_instructors(group: Class) -> None:
    for ask in (attendance.attendees, attendance.stop_all, attendance.going_on):
        with pytest.raises(NotAllowedError):
            ask(group.seen_by(group.anna))


def test_attendees__are_the_participants_and_where_they_are(group: Class) -> None:
    group.store.classroom.see(group.anna.id, "Model")
    group.store.classroom.see(group.anna.id, "Runs")
    found = look(group)
    assert sorted(found) == ["Anna", "Bob"]
    anna = found["Anna"]
    assert anna.seen and anna.seen.page == "Runs" and anna.is_here
    assert found["Bob"].seen is None
    assert not look(group, 6)["Anna"].is_here


def test_attendees__what_they_do_and_their_best_with_its_interval(
    group: Class,
) -> None:
    for accuracy in (0.5, 0.75):
        run = group.store.create(TrainConfig(dataset="pets"), "", group.anna.id)
        group.end(run, val_accuracy=accuracy, val_images=8)
    group.store.create(TrainConfig(dataset="pets"), "mine", group.anna.id)
    anna = look(group)["Anna"]
    assert (anna.does, anna.runs) == ("queued: mine", 2)
    assert anna.best and round(anna.best.value, 3) == 0.75
    assert round(anna.best.low, 3) == 0.409 and round(anna.best.high, 3) == 0.929


def test_attendees__stuck_after_an_error_until_the_next_try(group: Class) -> None:
    run = group.store.create(TrainConfig(dataset="pets"), "mine", group.anna.id)
    group.end(run, JobStatus.FAILED)
    assert look(group)["Anna"].trouble == "mine failed: The disk is full."
    assert [*look(group)] == ["Anna", "Bob"]
    group.store.create(TrainConfig(dataset="pets"), "again", group.anna.id)
    assert not look(group)["Anna"].trouble


@pytest.mark.parametrize(
    "minutes, trouble", [(9, ""), (11, "Nothing for 11 minutes"), (130, "")]
)
def test_attendees__stuck_after_ten_minutes(
    group: Class, minutes: int, trouble: str
) -> None:
    group.store.classroom.see(group.anna.id, "Model")
    assert look(group, minutes + 0.1)["Anna"].trouble == trouble


def test_attendees__not_stuck_while_work_goes_on(group: Class) -> None:
    group.store.create(TrainConfig(dataset="pets"), "mine", group.anna.id)
    assert not look(group, 15)["Anna"].trouble


def test_stop_all__ends_what_is_of_participants_alone(group: Class) -> None:
    config = TrainConfig(dataset="pets")
    of = {
        who.name: group.store.create(config, "", who.id).id
        for who in (group.anna, group.bob, group.tom)
    }
    tom = group.seen_by(group.tom)
    assert attendance.stop_all(tom) == 2
    now = {name: group.store.get(run).status for name, run in of.items()}
    assert now == {"Anna": "stopped", "Bob": "stopped", "Tom": "queued"}
    event = tom.people.events()[0]
    assert (event.name, event.action, event.thing) == ("Tom", "stop all", "2 jobs")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_stop_all__what_works_ends_as_stopped_and_all_else_stands(
    group: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the process of a real run."""
    monkeypatch.setenv("TRANSFER_MAX_RUNNING", "1")
    config = settings(group.folder)
    group.store.datasets.own("pets", group.tom.id)
    tom, bob = group.seen_by(group.tom), group.seen_by(group.bob)
    handouts.hand_out(tom, "pets", {"freeze": "last:1"}, "Begin")
    at_work, waits, of_tom = (
        group.store.create(config, who.name, who.id).id
        for who in (group.anna, group.bob, group.tom)
    )
    queue.dispatch(group.store)
    wait_for_epoch(group.store, at_work, "fine_tune", 3)
    assert attendance.stop_all(tom) == 2
    assert [group.store.get(one).status for one in (waits, of_tom)] == [
        "stopped",
        "queued",
    ]
    queue.stop(group.store, of_tom)
    wait_for(lambda: group.store.get(at_work).status.is_final)
    assert group.store.get(at_work).status == "stopped"
    # Its best weights until now are kept, and the class goes on where it was.
    assert files.model(at_work).exists() and group.store.get(at_work).result
    assert [one.says for one in handouts.visible(bob)] == ["Begin"]
    assert handouts.start(bob, handouts.visible(bob)[0]).status == "queued"
