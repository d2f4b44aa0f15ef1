"""Pictures wait without labels, are sorted step by step, and come in as a revision."""

from hashlib import sha256
from pathlib import Path

import pytest

from tests.pictures import delete_dataset, make_pictures
from transfer.datasets import classes, history, library
from transfer.datasets.ingest import importer
from transfer.errors import ConfigError, DatasetError, NotFoundError
from transfer.pile import waiting
from transfer.pile.waiting import NONE, Said


@pytest.fixture
def loose(tmp_path: Path, workspace: Path) -> Path:
    """A folder of six pictures, one of them in the dataset `pets` already."""
    pets = make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    importer.import_path(pets, "pets")
    folder = make_pictures(tmp_path / "loose", {"some": 6}, seed=9)
    (folder / "known.png").write_bytes((pets / "cat" / "cat_0.png").read_bytes())
    (folder / "notes.txt").write_text("no picture")
    return folder


def hashes() -> list[str]:
    return [one.sha256 for one in waiting.read("pets").pictures]


def test_bring__new_ones_wait_and_others_are_named(loose: Path) -> None:
    new, left = waiting.bring(loose, "pets")
    assert new == 6
    assert {one.path: one.reason for one in left} == {
        "known.png": 'It is there already as cat/cat_0.png, of the class "cat".',
        "notes.txt": "Not an image file.",
    }
    again, known = waiting.bring(loose / "some", "pets")
    assert again == 0 and {x.reason for x in known} == {"It is on the pile already."}
    assert len(library.load("pets").images) == 8


def test_bring__only_what_a_run_was_asked_about(loose: Path) -> None:
    said = {"some/some_1.png": Said("dog", 0.8)}
    assert waiting.bring(loose, "pets", said)[0] == 1
    (only,) = waiting.read("pets").pictures
    assert only.entry.path == "some/some_1.png"
    assert waiting.read("pets").said == {only.sha256: Said("dog", 0.8)}


def test_bring__no_picture_says_what_is_there(loose: Path, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "notes.txt").write_text("no picture")
    with pytest.raises(DatasetError, match="There is no picture in it. Passed over"):
        waiting.bring(tmp_path / "texts", "pets")


def test_bring__the_images_outlive_the_deletion_of_another_dataset(
    loose: Path, tmp_path: Path
) -> None:
    importer.import_path(make_pictures(tmp_path / "b", {"x": 2, "y": 2}, seed=3), "b")
    waiting.bring(loose, "pets")
    delete_dataset("b")
    assert all(library.image_path(one).exists() for one in hashes())
    delete_dataset("pets")
    assert not any(library.image_path(one).exists() for one in hashes_of(loose))


def hashes_of(folder: Path) -> list[str]:
    return [sha256(one.read_bytes()).hexdigest() for one in folder.rglob("*.png")]


def test_decide__the_last_word_counts_and_can_be_taken_back(loose: Path) -> None:
    waiting.bring(loose, "pets")
    first, second, *others = hashes()
    waiting.decide("pets", {first: "cat", second: "cat"})
    waiting.decide("pets", {second: NONE})
    assert waiting.read("pets").decided == {first: "cat", second: NONE}
    assert waiting.read("pets").open == others
    waiting.take_back("pets")
    assert waiting.read("pets").decided == {first: "cat", second: "cat"}


def test_decide__refuses_what_cannot_be(loose: Path) -> None:
    waiting.bring(loose, "pets")
    with pytest.raises(NotFoundError, match="1 of these pictures are not on the pile"):
        waiting.decide("pets", {"0" * 64: "cat"})
    with pytest.raises(ConfigError, match="A class cannot be called"):
        waiting.decide("pets", {hashes()[0]: "a/b"})
    assert waiting.read("pets").steps == ()


def test_take_in__is_one_revision_and_leaves_the_rest(loose: Path) -> None:
    waiting.bring(loose, "pets")
    before = library.load("pets")
    one, two, three, none, *rest = hashes()
    waiting.decide("pets", {one: "cat", two: "wolf"})
    waiting.decide("pets", {three: "cat", none: NONE})
    found = waiting.take_in("pets", by="ada")
    assert found.added == 3 and found.revision.parent == before.id
    assert (found.revision.says, found.revision.by) == (
        "Added 3 to cat and wolf.",
        "ada",
    )
    assert found.revision.class_names == ("cat", "dog", "wolf")
    assert hashes() == rest and waiting.read("pets").steps == ()


def test_take_in__undone_its_pictures_are_on_the_pile_again(loose: Path) -> None:
    waiting.bring(loose, "pets")
    every = hashes()
    one, two, none, *rest = every
    waiting.decide("pets", {one: "cat", two: "wolf", none: NONE})
    before, after = library.load("pets"), waiting.take_in("pets").revision
    history.undo("pets", after.id)
    assert library.load("pets").id == before.id
    pile = waiting.read("pets")
    assert {*pile.open} == {one, two, *rest}
    assert pile.said == {one: Said("cat", 1.0), two: Said("wolf", 1.0)}
    waiting.decide("pets", {two: "dog"})
    assert waiting.take_in("pets").added == 1
    assert {*hashes()} == {one, *rest}


def test_take_in__without_a_word_says_so(loose: Path) -> None:
    waiting.bring(loose, "pets")
    with pytest.raises(DatasetError, match="Nothing was sorted yet"):
        waiting.take_in("pets")


def test_take_in__those_of_no_class_go_and_nothing_else_changes(loose: Path) -> None:
    waiting.bring(loose, "pets")
    before, (first, *rest) = library.load("pets"), hashes()
    waiting.decide("pets", {first: NONE})
    assert waiting.take_in("pets").revision == before
    assert hashes() == rest


def test_take_in__an_empty_class_gets_val_images_too(loose: Path) -> None:
    classes.add("pets", "wolf")
    waiting.bring(loose, "pets")
    waiting.decide("pets", dict.fromkeys(hashes(), "wolf"))
    counts = waiting.take_in("pets").revision.counts()["wolf"]
    assert counts["val"] == 1 and counts["train"] == 5


def test_clear__takes_the_images_away(loose: Path) -> None:
    waiting.bring(loose, "pets")
    gone = hashes()
    waiting.clear("pets")
    assert not waiting.read("pets").pictures
    assert not any(library.image_path(one).exists() for one in gone)
