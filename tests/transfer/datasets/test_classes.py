"""Classes change their names, and every image goes with its class."""

from pathlib import Path

import pytest

from tests.pictures import make_pictures
from tests.transfer.datasets.test_editing import of_class
from transfer.datasets import classes, editing, library, manifest
from transfer.datasets.ingest.adding import add_path
from transfer.datasets.revision import Revision
from transfer.errors import ConfigError, DatasetError, NameTakenError, NotFoundError


def by_class(revision: Revision) -> dict[str, set[str]]:
    """Hashes by class, of images that are left out too."""
    every = (*revision.images, *revision.left_out)
    return {
        name: {one.sha256 for one in every if one.label == label}
        for label, name in enumerate(revision.class_names)
    }


def test_rename__keeps_names_sorted_and_images_in_their_class(pets: Revision) -> None:
    editing.leave_out("pets", [pets.images[0].path], "dark")
    revision = classes.rename("pets", "cat", "tomcat", by="ada")
    was = by_class(pets)
    assert by_class(revision) == {"dog": was["dog"], "tomcat": was["cat"]}
    assert (revision.says, revision.by) == ("Renamed cat to tomcat.", "ada")
    assert classes.rename("pets", "dog", "dog") == revision


def test_merge__into_a_new_name_or_one_of_them(pets: Revision) -> None:
    images = [one.sha256 for one in pets.images[:2]]
    classes.split_off("pets", images, "lynx")
    was = by_class(pets)
    merged = classes.merge("pets", ["lynx", "dog"], "both")
    assert by_class(merged) == {
        "both": was["dog"] | set(images),
        "cat": was["cat"] - set(images),
    }
    assert merged.says == "Merged lynx and dog into both."
    classes.add("pets", "cow")
    assert classes.merge("pets", ["cat", "both"], "cat").class_names == ("cat", "cow")


def test_merge__refuses_what_would_leave_nothing_to_learn(pets: Revision) -> None:
    with pytest.raises(DatasetError, match="Only one class would be left"):
        classes.merge("pets", ["cat", "dog"], "animal")
    with pytest.raises(ConfigError, match="Two classes at least"):
        classes.merge("pets", ["cat"], "tomcat")
    with pytest.raises(NotFoundError, match="Its classes: cat, dog"):
        classes.merge("pets", ["cat", "cow"], "cat")
    assert library.load("pets") == pets


def test_split_off__names_the_sources(pets: Revision) -> None:
    moved = [*of_class(pets, "cat")[:2], of_class(pets, "dog")[0]]
    revision = classes.split_off("pets", moved, "bear")
    assert revision.class_names == ("bear", "cat", "dog")
    assert by_class(revision)["bear"] == set(moved)
    assert revision.says == "Split bear off: 3 from cat and dog."


def test_add__an_empty_class_is_learnt_only_with_images(pets: Revision) -> None:
    pets.check_learnable()
    revision = classes.add("pets", "bear")
    assert revision.counts()["bear"] == {"train": 0, "val": 0, "test": 0}
    with pytest.raises(DatasetError, match="learnt of bear.*Put some there"):
        revision.check_learnable()


@pytest.mark.parametrize("name", ["", " cow", "a/b", "a\\b", "..", "a\nb", "x" * 101])
def test_add__refuses_what_can_be_no_folder(pets: Revision, name: str) -> None:
    with pytest.raises(ConfigError, match="1 to 100 characters"):
        classes.add("pets", name)


def test_rename__refuses_a_taken_name(pets: Revision) -> None:
    with pytest.raises(NameTakenError, match="already. Merge cat and dog"):
        classes.rename("pets", "cat", "dog")


def test_read__classes_and_images_changed_in_turns_come_back(
    pets: Revision, workspace: Path
) -> None:
    cats, dogs = of_class(pets, "cat"), of_class(pets, "dog")
    made = [
        editing.move("pets", dogs[:1], "cat"),
        classes.rename("pets", "cat", "zebra"),
        editing.move("pets", cats[:1], "dog"),
        classes.add("pets", "ant"),
        editing.leave_out("pets", cats[1:2], "dark"),
        classes.split_off("pets", cats[2:3], "mule"),
        classes.merge("pets", ["mule", "dog"], "horse"),
        editing.move("pets", cats[3:4], "ant"),
    ]
    for one in made:
        manifest._kept.clear()
        assert library.load("pets", one.id) == one
    found = by_class(made[-1])
    assert [*found] == ["ant", "horse", "zebra"]
    assert found["ant"] == {cats[3]}
    assert found["horse"] == {*dogs[1:], cats[0], cats[2]}
    assert {one.sha256 for one in made[-1].left_out} == {cats[1]}
    deltas = sum("changed" in path.read_text() for path in workspace.rglob("*.json"))
    assert deltas == len(made)


def test_begin__a_dataset_without_images_takes_its_first_ones(
    workspace: Path, tmp_path: Path
) -> None:
    made = classes.begin("new", ["dog", "cat"], by="ada")
    assert (made.class_names, made.images, made.by) == (("cat", "dog"), (), "ada")
    add_path(make_pictures(tmp_path / "m", {"cat": 10}) / "cat", "new", "cat")
    assert library.load("new").counts()["cat"] == {"train": 8, "val": 2, "test": 0}


def test_begin__says_what_cannot_be(workspace: Path) -> None:
    with pytest.raises(DatasetError, match="Two classes at the least"):
        classes.begin("new", ["cat"])
    classes.begin("new", ["cat", "dog"])
    with pytest.raises(NameTakenError, match='already a dataset named "new"'):
        classes.begin("new", ["cat", "dog"])
