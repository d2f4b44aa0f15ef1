"""What is handed out to all."""

import pytest

from tests.transfer.classroom.conftest import Class
from transfer.classroom import handouts, hidden
from transfer.errors import ConfigError, NotAllowedError

SETTINGS = {"backbone": "mobilenet_v2_035", "freeze": "last:1", "head_epochs": "3"}


def test_hand_out__is_for_instructors_and_their_own(group: Class) -> None:
    group.dataset("annas", group.anna)
    for who in (group.anna, group.tom):
        with pytest.raises(NotAllowedError):
            handouts.hand_out(group.seen_by(who), "annas", {})


def test_hand_out__settings_are_checked_first(group: Class) -> None:
    group.dataset("toms", group.tom)
    with pytest.raises(ConfigError, match="head_epochs"):
        handouts.hand_out(group.seen_by(group.tom), "toms", {"head_epochs": "-1"})
    assert group.store.datasets.get("toms").sharing == "private"


def test_hand_out__the_hidden_test_set_is_not(group: Class) -> None:
    group.dataset("secret", group.tom)
    tom = group.seen_by(group.tom)
    hidden.hide(tom, "secret")
    with pytest.raises(NotAllowedError, match="hidden"):
        handouts.hand_out(tom, "secret", {})
    assert not handouts.visible(tom)


def test_hand_out__is_seen_by_all_and_started_in_one_step(group: Class) -> None:
    revision = group.dataset("toms", group.tom)
    tom = group.seen_by(group.tom)
    handouts.hand_out(tom, "toms", SETTINGS, " Try this. ")
    bob = group.seen_by(group.bob)
    (one,) = handouts.visible(bob)
    assert (one.dataset, one.says) == ("toms", "Try this.")
    run = handouts.start(bob, one)
    assert (run.owner, run.revision) == (group.bob.id, revision.id)
    assert (run.config.freeze, run.config.head_epochs) == ("last:1", 3)
    handouts.take_back(tom, one.id)
    assert not handouts.visible(bob)
    actions = [event.action for event in tom.people.events()]
    assert actions == ["take back", "hand out", "share"]


def test_visible__not_what_is_shared_no_more(group: Class) -> None:
    group.dataset("toms", group.tom)
    tom = group.seen_by(group.tom)
    handouts.hand_out(tom, "toms", SETTINGS)
    tom.datasets.share("toms", "private")
    assert not handouts.visible(group.seen_by(group.bob))
