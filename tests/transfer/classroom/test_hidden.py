"""The hidden test set: who may hide what, and what handing in a run tells."""

from types import SimpleNamespace

import numpy as np
import pytest

from tests.transfer.classroom.conftest import Class
from transfer.__main__ import main
from transfer.classroom import board, hidden, judging
from transfer.datasets import classes
from transfer.errors import (
    DatasetError,
    NotAllowedError,
    NotFoundError,
    RunError,
)
from transfer.prediction import models
from transfer.runs import queue
from transfer.store.classroom import HAND_IN
from transfer.store.people import Person
from transfer.upkeep import trash


def hand_in(group: Class, who: Person, run: str = "") -> int:
    run = run or group.run(who).id
    return hidden.hand_in(group.seen_by(who), run).id


@pytest.fixture
def secret(group: Class) -> Class:
    group.dataset("secret", group.tom, seed=9)
    hidden.hide(group.seen_by(group.tom), "secret")
    return group


def answer(monkeypatch: pytest.MonkeyPatch, right: float = 1.0) -> None:
    """Has every model be right so often."""

    def probabilities(paths: list[object]) -> np.ndarray:
        labels = [0, 0, 0, 0, 1, 1, 1, 1]
        told = [
            label if at < right * 8 else 1 - label for at, label in enumerate(labels)
        ]
        return np.eye(2, dtype=np.float32)[told]

    model = SimpleNamespace(probabilities=probabilities, class_names=["cat", "dog"])
    monkeypatch.setattr(models, "load", lambda run: model)


def test_hide__is_for_instructors_and_their_own(group: Class) -> None:
    group.dataset("annas", group.anna)
    for who in (group.anna, group.tom):
        with pytest.raises(NotAllowedError):
            hidden.hide(group.seen_by(who), "annas")


def test_hide__one_at_a_time_and_none_can_be_shared(secret: Class) -> None:
    tom = secret.seen_by(secret.tom)
    with pytest.raises(NotAllowedError, match="hidden test set"):
        tom.datasets.share("secret", "read")
    secret.dataset("other", secret.tom, seed=5)
    hidden.hide(tom, "other")
    assert tom.datasets.get("secret").sharing == "private"
    (last, *_) = tom.people.events()
    assert (last.action, last.thing) == ("share", "dataset other: hidden")
    hidden.hide(tom, "")
    assert hidden.current(tom) is None


def test_hide__not_what_participants_have_seen(group: Class) -> None:
    tom = group.seen_by(group.tom)
    group.dataset("same", group.anna, seed=3)
    group.dataset("secret", group.tom, seed=3)
    with pytest.raises(DatasetError, match="8 images of it in “same”"):
        hidden.hide(tom, "secret")
    group.dataset("seen", group.tom, seed=4)
    run = group.run(group.anna, "seen")
    with pytest.raises(DatasetError, match=run.id):
        hidden.hide(tom, "seen")
    trash.put_run(group.seen_by(group.anna), run.id)  # it can be restored
    with pytest.raises(DatasetError, match=run.id):
        hidden.hide(tom, "seen")


def test_share__not_a_run_that_learnt_from_it(secret: Class) -> None:
    run = secret.run(secret.tom, "secret")
    with pytest.raises(NotAllowedError, match="hidden test set"):
        secret.seen_by(secret.tom).share(run.id, "read")


def test_hand_in__only_ones_own_run_that_knows_the_classes(secret: Class) -> None:
    with pytest.raises(NotFoundError):
        hidden.hand_in(secret.seen_by(secret.bob), secret.run(secret.anna).id)
    shared = secret.run(secret.anna)
    secret.store.share(shared.id, "read")
    with pytest.raises(NotAllowedError, match="Only your own"):
        hidden.hand_in(secret.seen_by(secret.bob), shared.id)
    secret.store.amend(shared.id, class_names=["cat", "Dog", "fox"])
    with pytest.raises(DatasetError, match="does not know dog"):
        hand_in(secret, secret.anna, shared.id)
    secret.store.amend(shared.id, class_names=[])
    with pytest.raises(RunError, match="no model"):
        hand_in(secret, secret.anna, shared.id)


def test_hand_in__without_a_test_set(group: Class) -> None:
    with pytest.raises(NotFoundError, match="no hidden test set"):
        hand_in(group, group.anna)


def test_hand_in__few_tries_for_each_and_a_run_once(
    secret: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hidden, "TRIES", 2)
    run = secret.run(secret.anna).id
    assert hand_in(secret, secret.anna, run) == hand_in(secret, secret.anna, run)
    hand_in(secret, secret.anna)
    with pytest.raises(NotAllowedError, match="handed in 2 runs"):
        hand_in(secret, secret.anna)
    hand_in(secret, secret.bob)


def test_hand_in__a_try_stays_one_when_the_run_is_deleted(
    secret: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch)
    monkeypatch.setattr(hidden, "TRIES", 1)
    run = secret.run(secret.anna).id
    judging.judge(secret.store, hand_in(secret, secret.anna, run), lambda *_: None)
    trash.put_run(secret.store, run)
    with pytest.raises(NotAllowedError, match="1 is the most"):
        hand_in(secret, secret.anna)


def test_hand_in__the_job_is_the_instructors_and_names_no_dataset(
    secret: Class,
) -> None:
    entry = secret.store.classroom.entry(hand_in(secret, secret.anna))
    assert entry
    anna = secret.seen_by(secret.anna)
    job = anna.find(HAND_IN, entry.subject)
    assert job and job.owner == secret.tom.id
    assert "secret" not in str(job)
    with pytest.raises((NotAllowedError, NotFoundError)):
        queue.stop(anna, job.id)


def test_judge__tells_an_accuracy_with_its_interval(
    secret: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, 0.75)
    found = judging.judge(secret.store, hand_in(secret, secret.anna), lambda *_: None)
    assert found == (0.75, 0.409, 0.929)


def test_hand_in_command__ends_its_job_and_tells_nothing_with_it(
    secret: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch)
    entry = secret.store.classroom.entry(hand_in(secret, secret.anna))
    assert entry
    job = secret.store.claim_next("here", {(HAND_IN,): 9})
    assert job and main([*job.settings["words"], "--job", job.id]) == 0
    ended = secret.store.get_job(job.id)
    assert (ended.status, ended.result) == ("completed", {})
    assert secret.store.classroom.tries(entry.revision)[0].accuracy == 1.0


def test_judge__what_goes_wrong_names_no_picture(
    secret: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(run: str) -> None:
        raise DatasetError("cat/cat_0.png of secret cannot be read.")

    monkeypatch.setattr(models, "load", fail)
    entry = hand_in(secret, secret.anna)
    job = secret.store.claim_next("here", {(HAND_IN,): 9})
    assert job and main([*job.settings["words"], "--job", job.id]) == 1
    ended = secret.store.get_job(job.id)
    assert "secret" not in str(ended) and "cat" not in str(ended)
    # What could not be judged is no try.
    assert secret.store.classroom.entry(entry)
    assert hidden.current(secret.store)
    assert not board.standings(secret.store)


def test_judge__not_by_another_test_set_than_it_was_handed_in_for(
    secret: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch)
    entry = hand_in(secret, secret.anna)
    classes.rename("secret", "cat", "puss")
    with pytest.raises(RunError, match="could not be judged"):
        judging.judge(secret.store, entry, lambda *_: None)


def test_standings__the_best_of_each_and_how_often_they_tried(
    secret: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who, right in ((secret.bob, 0.5), (secret.anna, 0.75), (secret.bob, 1.0)):
        answer(monkeypatch, right)
        judging.judge(secret.store, hand_in(secret, who), lambda *_: None)
    for who in (secret.anna, secret.bob, secret.tom):
        found = board.standings(secret.seen_by(who))
        told = [(one.rank, one.name, one.best.value, one.tries) for one in found]
        assert told == [(1, "Bob", 1.0, 2), (2, "Anna", 0.75, 1)]


def test_standings__who_did_as_well_shares_a_rank(
    secret: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who, right in ((secret.bob, 1.0), (secret.anna, 1.0), (secret.tom, 0.5)):
        answer(monkeypatch, right)
        judging.judge(secret.store, hand_in(secret, who), lambda *_: None)
    found = board.standings(secret.store)
    assert [(one.rank, one.name) for one in found] == [
        (1, "Bob"),
        (1, "Anna"),
        (3, "Tom"),
    ]


def test_hide__not_what_a_participant_can_have_back_from_the_trash(
    group: Class,
) -> None:
    group.dataset("annas", group.anna, seed=9)
    group.dataset("secret", group.tom, seed=9)
    thrown = trash.put_dataset(group.seen_by(group.anna), "annas")
    tom = group.seen_by(group.tom)
    with pytest.raises(DatasetError, match="can see 8 images of it in “annas”"):
        hidden.hide(tom, "secret")
    trash.remove(group.store, thrown.id)
    hidden.hide(tom, "secret")
