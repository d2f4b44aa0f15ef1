"""A correction makes a new revision and leaves the old one as it was."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pictures import delete_dataset, noisy_picture
from transfer.datasets import editing, library
from transfer.datasets.revision import Revision
from transfer.errors import ConfigError, DatasetError, ImageError, NotFoundError


def png(hue: float = 0.6, seed: int = 99) -> bytes:
    """A picture that is in no dataset."""
    buffer = io.BytesIO()
    noisy_picture(hue, seed=seed).save(buffer, "PNG")
    return buffer.getvalue()


def test_add__a_new_picture_is_a_training_image_of_its_class(pets: Revision) -> None:
    revision = editing.add("pets", png(), "dog", "C:\\holiday\\IMG 1.png")
    assert library.load("pets") == revision
    (added,) = set(revision.images) - set(pets.images)
    assert added.sha256 == hashlib.sha256(png()).hexdigest()
    assert (added.label, added.split) == (1, "train")
    assert added.path == f"corrections/dog/{added.sha256[:8]}-IMG 1.png"
    assert library.image_path(added.sha256).read_bytes() == png()
    paths = [image.path for image in revision.images]
    assert paths == sorted(paths)


def test_add__the_earlier_revision_stays(pets: Revision) -> None:
    revision = editing.add("pets", png(), "dog", "a.png")
    assert revision.id != pets.id
    assert library.load("pets", pets.id) == pets


@pytest.mark.parametrize("split", ["train", "val"])
def test_add__a_picture_that_is_there_is_only_relabelled(
    pets: Revision, split: str
) -> None:
    image = next(one for one in pets.images if one.split == split and not one.label)
    content = library.image_path(image.sha256).read_bytes()
    revision = editing.add("pets", content, "dog", "again.png")
    assert len(revision.images) == len(pets.images)
    (changed,) = set(revision.images) - set(pets.images)
    assert (changed.sha256, changed.path) == (image.sha256, image.path)
    assert (changed.label, changed.split) == (1, split)


def test_add__the_same_twice_is_one_revision(pets: Revision) -> None:
    first = editing.add("pets", png(), "dog", "a.png")
    assert editing.add("pets", png(), "dog", "b.png") == first


def test_add__corrections_add_up(pets: Revision) -> None:
    editing.add("pets", png(seed=1), "dog", "a.png")
    revision = editing.add("pets", png(seed=2), "cat", "a.png")
    assert len(revision.images) == len(pets.images) + 2


def test_add__refuses_what_cannot_be_learnt(pets: Revision, workspace: Path) -> None:
    with pytest.raises(NotFoundError, match='no class "cow"'):
        editing.add("pets", png(), "cow", "a.png")
    with pytest.raises(NotFoundError, match='no dataset named "ghosts"'):
        editing.add("ghosts", png(), "cat", "a.png")
    with pytest.raises(ImageError, match="not a picture"):
        editing.add("pets", b"text", "cat", "a.png")
    assert library.load("pets") == pets
    assert len(list((workspace / "images").glob("*/*"))) == len(pets.images)


def test_delete__takes_corrections_with_it(pets: Revision, workspace: Path) -> None:
    editing.add("pets", png(), "dog", "a.png")
    delete_dataset("pets")
    assert not list((workspace / "images").glob("*/*"))


def of_class(revision: Revision, name: str) -> list[str]:
    """Hashes of the images of a class."""
    label = revision.class_names.index(name)
    return [one.sha256 for one in revision.images if one.label == label]


def test_move__each_kind_of_name_and_says_what_was_done(pets: Revision) -> None:
    cats = [one for one in pets.images if one.label == 0]
    wanted = [cats[0].path, cats[1].sha256, cats[2].sha256[:10].upper()]
    revision = editing.move("pets", wanted, "dog", by="ada")
    assert library.load("pets") == revision
    assert set(of_class(revision, "dog")) - set(of_class(pets, "dog")) == {
        one.sha256 for one in cats[:3]
    }
    assert (revision.says, revision.by) == ("Moved 3 from cat to dog.", "ada")
    assert {(one.sha256, one.path, one.split) for one in revision.images} == {
        (one.sha256, one.path, one.split) for one in pets.images
    }


def test_move__of_those_there_already_nothing_is_changed(pets: Revision) -> None:
    assert editing.move("pets", of_class(pets, "dog"), "dog") == pets
    everything = [one.sha256 for one in pets.images]
    cats = len(of_class(pets, "cat"))
    says = editing.move("pets", everything, "dog").says
    assert says == f"Moved {cats} from cat to dog."


def test_move_to_split__says_from_where(pets: Revision) -> None:
    moved = [one.path for one in pets.of_split("train")[:2]]
    revision = editing.move_to_split("pets", moved, "test")
    assert [one.path for one in revision.of_split("test")] == moved
    assert revision.says == "Moved 2 from train to test."
    with pytest.raises(ConfigError, match="The splits: train, val, test"):
        editing.move_to_split("pets", moved, "holdout")  # type: ignore[arg-type]


def test_leave_out__keeps_image_and_reason_until_it_is_restored(
    pets: Revision,
) -> None:
    one, other = pets.images[:2]
    without = editing.leave_out("pets", [one.path, other.path], " blurred. ")
    assert {*pets.images} - {*without.images} == {one, other}
    assert [image.left_out for image in without.left_out] == ["blurred."] * 2
    assert without.says == "Left out 2: blurred."
    library.remove_unused_images()
    assert library.image_path(one.sha256).exists()
    back = editing.restore("pets", [one.path, pets.images[5].path])
    assert back.says == f"Restored {one.path}."
    assert back.images == tuple(x for x in pets.images if x != other)
    assert editing.restore("pets", [one.path]) == back


def test_leave_out__needs_a_reason(pets: Revision) -> None:
    with pytest.raises(ConfigError, match='Say it, such as "blurred"'):
        editing.leave_out("pets", [pets.images[0].path], " ")


def test_move__of_a_left_out_image_says_to_restore_it(pets: Revision) -> None:
    editing.leave_out("pets", [pets.images[0].path], "dark")
    with pytest.raises(DatasetError, match="is left out: dark Restore"):
        editing.move("pets", [pets.images[0].path], "dog")


def test_add__a_left_out_picture_comes_back(pets: Revision) -> None:
    image = pets.images[0]
    editing.leave_out("pets", [image.path], "dark")
    content = library.image_path(image.sha256).read_bytes()
    revision = editing.add("pets", content, "dog", "again.png")
    assert not revision.left_out
    assert image.sha256 in of_class(revision, "dog")


def test_find__refuses_what_names_no_image_or_several(pets: Revision) -> None:
    for wrong in ("cat/none.png", pets.images[0].sha256[:3], "", "0" * 64):
        with pytest.raises(NotFoundError, match="by its path as it is shown"):
            editing.find(pets, [wrong])
    twins = tuple(replace(one, sha256="abcd" + one.sha256[4:]) for one in pets.images)
    with pytest.raises(ConfigError, match="beginning of .* files.*Give more digits"):
        editing.find(replace(pets, images=twins), ["abcd"])
    with pytest.raises(ConfigError, match="Name one or more"):
        editing.move("pets", [], "dog")
