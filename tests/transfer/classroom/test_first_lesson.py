"""The first lesson: what is done is seen by what is stored."""

import pytest

from tests.transfer.classroom.conftest import Class
from transfer.classroom import first_lesson
from transfer.classroom.first_lesson import Place
from transfer.classroom.lesson_steps import STEPS
from transfer.config import TrainConfig
from transfer.upkeep import trash


def place(group: Class) -> Place:
    found = first_lesson.place(group.seen_by(group.anna))
    assert found
    return found


def now(group: Class) -> tuple[str, str, dict[str, str]]:
    found = place(group)
    assert found.step and found.task
    return found.step.name, found.task.page, found.task.query


def bring(group: Class, name: str, sample: str = "") -> None:
    group.dataset(name, group.anna, seed=len(name))
    if sample:
        words = {"words": ["import", f"sample:{sample}", f"--name={name}"]}
        group.job(group.anna, "import", name, settings=words)


def test_place__from_a_sample_to_a_catch(group: Class) -> None:
    assert now(group) == ("instant", "data", {})
    bring(group, "wheels", "gearwheels")
    instant = {"dataset": "wheels", "method": "instant"}
    assert now(group) == ("instant", "model", instant)
    run = group.run(group.anna, "wheels", method="instant")
    # Pictures of their own are the next thing that is missing.
    assert now(group) == ("source", "data", {})
    seen = place(group).look
    assert seen and (seen.page, seen.query) == ("evaluate", {"run": run.id})
    bring(group, "mine")
    known = {"dataset": "mine", "weights": "imagenet", "freeze": "all"}
    assert now(group) == ("source", "model", known)
    first = group.run(group.anna, "mine")
    assert now(group)[2]["weights"] == "random"
    second = group.run(group.anna, "mine", weights="random")
    frozen = {"dataset": "mine", "freeze": "last:1"}
    assert now(group) == ("unfreeze", "model", frozen)
    seen = place(group).look
    assert seen and seen.query == {"compare": f"{first.id},{second.id}"}
    tuned = group.run(group.anna, "mine", freeze="last:1")
    assert now(group) == ("shortcut", "data", {})
    seen = place(group).look
    assert seen and seen.query == {"run": tuned.id}
    bring(group, "odd", "tray")
    assert now(group) == ("shortcut", "data", {"dataset": "odd"})
    group.job(group.anna, "doctor", "r", result={"kinds": {"label": 3}})
    assert place(group).step
    group.job(group.anna, "doctor", "s", result={"kinds": {"shortcut": 1}})
    for _ in range(2):  # what there is to see of the last one stays
        at = place(group)
        assert at.step is None and at.look and at.look.query == {"dataset": "odd"}


def test_place__a_run_that_goes_on_is_to_be_watched(group: Class) -> None:
    bring(group, "wheels", "gearwheels")
    config = TrainConfig(dataset="wheels", method="instant")
    run = group.store.create(config, "", group.anna.id)
    assert now(group) == ("instant", "runs", {"run": run.id})


def test_place__others_runs_do_nobodys_step(group: Class) -> None:
    bring(group, "wheels", "gearwheels")
    group.run(group.bob, "wheels", method="instant")
    assert now(group)[0] == "instant"


def test_place__pictures_of_others_are_nobodys_own_until_they_train_on_them(
    group: Class,
) -> None:
    first_lesson.skip(group.seen_by(group.anna), "instant")
    group.dataset("toms", group.tom)
    group.store.datasets.share("toms", "read")
    assert now(group) == ("source", "data", {})
    group.run(group.anna, "toms")
    assert now(group)[2]["dataset"] == "toms"


def test_place__what_was_done_stays_done(group: Class) -> None:
    bring(group, "wheels", "gearwheels")
    run = group.run(group.anna, "wheels", method="instant")
    assert now(group)[0] == "source"
    trash.put_run(group.store, run.id)
    assert now(group)[0] == "source"
    assert group.store.lesson.all_steps() == {group.anna.id: {"instant"}}


def test_skip__goes_on_until_it_is_taken_up(group: Class) -> None:
    anna = group.seen_by(group.anna)
    first_lesson.skip(anna, "instant")
    assert now(group)[0] == "source"
    first_lesson.put_away(anna)
    assert first_lesson.place(anna) is None
    bob = first_lesson.place(group.seen_by(group.bob))
    assert bob and bob.number == 1
    first_lesson.take_up(anna)
    assert now(group)[0] == "instant"


def test_steps__take_about_twenty_minutes() -> None:
    assert sum(step.minutes for step in STEPS) == pytest.approx(20, abs=2)
