"""Revisions are listed, gone back to, compared and pruned."""

from pathlib import Path

import pytest

from tests.transfer.datasets.test_editing import of_class, png
from transfer.datasets import classes, editing, history, library, manifest
from transfer.datasets.revision import Revision
from transfer.errors import NotFoundError, RunError


def move_cats(pets: Revision, count: int) -> list[Revision]:
    """Revisions, each with one image more in another class."""
    cats = of_class(pets, "cat")[:count]
    return [editing.move("pets", [one], "dog", by="ada") for one in cats]


def test_undo__goes_back_step_by_step(pets: Revision) -> None:
    first, second = move_cats(pets, 2)
    assert history.undo("pets") == library.load("pets") == first
    assert history.undo("pets") == pets
    with pytest.raises(RunError, match="Nothing was changed"):
        history.undo("pets")
    assert history.go_to("pets", second.id) == library.load("pets") == second


def test_undo__only_what_was_seen(pets: Revision) -> None:
    first, second = move_cats(pets, 2)
    with pytest.raises(RunError, match="Somebody else.*meanwhile: Moved cat/"):
        history.undo("pets", seen=first.id)
    assert history.undo("pets", seen=second.id) == first


def test_go_to__no_such_revision(pets: Revision) -> None:
    with pytest.raises(NotFoundError, match="no revision"):
        history.go_to("pets", "0" * 16)


def test_steps__tell_who_what_and_which_are_undone(pets: Revision) -> None:
    move_cats(pets, 1)
    history.undo("pets")
    editing.leave_out("pets", [pets.images[0].path], "dark", by="bob")
    found = {one.head.by: one for one in history.steps("pets")}
    assert [one.head.id for one in history.steps("pets")][-1] == pets.id
    assert found["bob"].is_newest and not found["bob"].is_undone
    assert found["bob"].head.says == f"Left out {pets.images[0].path}: dark."
    assert found["ada"].is_undone and not found["ada"].is_newest
    assert not found[""].is_undone and not found[""].head.parent


def test_compare__names_every_kind_of_change(pets: Revision) -> None:
    cats, dogs = of_class(pets, "cat"), of_class(pets, "dog")
    editing.leave_out("pets", cats[:1], "dark")
    before = editing.add("pets", png(), "dog", "a.png")
    editing.move("pets", cats[1:2], "dog")
    editing.restore("pets", cats[:1])
    editing.leave_out("pets", dogs[:1], "dark")
    editing.move_to_split("pets", dogs[1:2], "test")
    editing.add("pets", png(seed=7), "dog", "b.png")
    after = classes.rename("pets", "cat", "tomcat")
    found = history.compare(before, after)
    assert {pair: len(images) for pair, images in found.moved.items()} == {
        ("cat", "dog"): 1,
        ("cat", "tomcat"): len(cats) - 1,
    }
    assert [one.sha256 for one in found.left_out] == dogs[:1]
    assert [one.sha256 for one in found.restored] == cats[:1]
    assert [one.sha256 for one in found.other_split] == dogs[1:2]
    assert [one.path[-5:] for one in found.added] == ["b.png"]
    assert (found.new_classes, found.gone_classes) == (("tomcat",), ("cat",))
    assert [one.path[-5:] for one in history.compare(after, before).gone] == ["b.png"]


def test_prune__keeps_first_newest_last_and_those_of_runs(
    pets: Revision, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "MOST_STEPS", 2)
    monkeypatch.setattr(history, "KEPT", 2)
    made = [editing.add("pets", png(seed=seed), "dog", "a.png") for seed in range(11)]
    assert history.prune("pets", []) == 0  # all of this month
    monkeypatch.setattr(history, "KEPT_DAYS", -1)
    for _ in range(11):
        history.undo("pets")
    assert history.prune("pets", [made[2].id]) > 0
    left = {one.head.id for one in history.steps("pets")}
    for one in (pets, made[2], *made[-2:]):
        manifest._kept.clear()
        assert library.load("pets", one.id) == one
    assert made[5].id not in left
    editing.add("pets", png(seed=99), "dog", "a.png")
    history.undo("pets")
    assert len(list((workspace / "images").glob("*/*"))) == len(made[-1].images) + 1


def test_prune__undo_says_that_what_was_before_is_gone(
    pets: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "MOST_STEPS", 1)
    monkeypatch.setattr(history, "KEPT", 1)
    monkeypatch.setattr(history, "KEPT_DAYS", -1)
    move_cats(pets, 3)
    history.prune("pets", [])
    with pytest.raises(RunError, match="not kept any more"):
        history.undo("pets")
