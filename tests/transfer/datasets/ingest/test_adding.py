"""More images come into a dataset, and what is there stays as it is."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pictures import make_pictures, noisy_picture
from transfer.datasets import editing, library
from transfer.datasets.ingest import importer
from transfer.datasets.ingest.adding import add_path
from transfer.datasets.revision import Revision
from transfer.errors import ConfigError, DatasetError, NotFoundError


def test_add_path__a_folder_into_one_class_learns(
    pets: Revision, tmp_path: Path
) -> None:
    make_pictures(tmp_path / "more", {"walk": 2, "home": 3}, seed=5)
    (tmp_path / "more" / "notes.txt").write_text("no picture")
    found = add_path(tmp_path / "more", "pets", "dog", by="ada")
    assert library.load("pets") == found.revision
    assert found.revision.counts()["dog"]["train"] == pets.counts()["dog"]["train"] + 5
    assert found.revision.of_split("val") == pets.of_split("val")
    assert (found.added, found.revision.says) == (5, "Added 5 to dog.")
    assert found.revision.by == "ada"
    assert [one.path for one in found.passed_over] == ["notes.txt"]


def test_add_path__into_one_class_says_that_folders_are_named_like_others(
    pets: Revision, tmp_path: Path
) -> None:
    more = make_pictures(tmp_path / "more", {"cat": 2, "bear": 2}, seed=8)
    found = add_path(more, "pets", "dog")
    assert found.added == 4
    (note,) = found.notes
    assert 'named cat, as classes here are; all came into "dog"' in note


def test_add_path__one_picture(pets: Revision, tmp_path: Path) -> None:
    noisy_picture(0.3, seed=77).save(tmp_path / "new.png")
    found = add_path(tmp_path / "new.png", "pets", "cat")
    assert found.revision.says == "Added new.png to cat."
    with pytest.raises(DatasetError, match="Or say the class that all of them have"):
        add_path(tmp_path / "new.png", "pets")


def test_add_path__one_by_one_fills_val_too(pets: Revision, tmp_path: Path) -> None:
    for number in range(12):
        noisy_picture(0.3, seed=100 + number).save(tmp_path / f"{number}.png")
        add_path(tmp_path / f"{number}.png", "pets", "fox")
    counts = library.load("pets").counts()
    assert counts["fox"] == {"train": 10, "val": 2, "test": 0}
    assert counts["cat"] == pets.counts()["cat"]


def test_add_path__class_folders_and_a_new_class(
    pets: Revision, tmp_path: Path
) -> None:
    more = make_pictures(tmp_path / "m", {"CAT": 2, "bear": 10}, seed=9)
    found = add_path(more, "pets")
    assert found.revision.class_names == ("bear", "cat", "dog")
    counts = found.revision.counts()
    assert counts["bear"] == {"train": 8, "val": 2, "test": 0}
    assert counts["cat"]["train"] == pets.counts()["cat"]["train"] + 2
    assert counts["dog"] == pets.counts()["dog"]
    assert found.revision.says == "Added 12 to bear and cat."


def test_add_path__one_picture_learns_where_splits_were_given(
    workspace: Path, tmp_path: Path
) -> None:
    make_pictures(tmp_path / "pets" / "train", {"cat": 2, "dog": 2}, seed=1)
    make_pictures(tmp_path / "pets" / "val", {"cat": 2}, seed=2)
    importer.import_path(tmp_path / "pets", "pets")
    noisy_picture(0.3, seed=99).save(tmp_path / "new.png")
    add_path(tmp_path / "new.png", "pets", "dog")
    assert library.load("pets").counts()["dog"] == {"train": 3, "val": 0, "test": 0}


def test_add_path__splits_that_are_given_are_kept(
    pets: Revision, tmp_path: Path
) -> None:
    make_pictures(tmp_path / "m" / "train", {"cat": 2, "dog": 2}, seed=9)
    make_pictures(tmp_path / "m" / "test", {"cat": 1, "dog": 1}, seed=10)
    found = add_path(tmp_path / "m", "pets")
    assert len(found.revision.of_split("test")) == 2


def test_add_path__what_is_there_already_is_said_and_stays(
    pets: Revision, animals: Path, tmp_path: Path
) -> None:
    cats = [one.path for one in pets.images if not one.label]
    editing.leave_out("pets", cats[:1], "dark")
    found = add_path(animals / "cat", "pets", "dog")
    assert (found.added, found.revision) == (0, library.load("pets"))
    reasons = [one.reason for one in found.passed_over]
    assert reasons[0] == (
        f'It is there already as {cats[0]}, of the class "cat", and left out: dark.'
    )
    assert reasons[1].endswith('not "dog"; move it there if that is wrong.')


def test_add_path__of_a_taken_path_another_is_made(
    pets: Revision, tmp_path: Path
) -> None:
    more = make_pictures(tmp_path / "m", {"cat": 1}, seed=9)
    found = add_path(more, "pets")
    (new,) = {*found.revision.images} - {*pets.images}
    assert new.path == f"cat/cat_0-{new.sha256[:8]}.png"


def test_add_path__first_deep_grey_brings_its_range(
    pets: Revision, tmp_path: Path
) -> None:
    folder = tmp_path / "m" / "cat"
    folder.mkdir(parents=True)
    values = np.linspace(1000, 3000, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(values).save(folder / "deep.png")
    Image.fromarray(np.full((64, 64), 1500, np.uint16)).save(folder / "flat.png")
    revision = add_path(tmp_path / "m", "pets").revision
    assert revision.grey and not pets.grey
    assert revision.flat == ("cat/flat.png",)
    assert library.load("pets", pets.id).grey is None


@pytest.mark.parametrize(
    ("name", "to", "kind", "says"),
    [
        ("ghosts", "cat", NotFoundError, "no dataset named"),
        ("pets", "a/b", ConfigError, "cannot be called"),
    ],
)
def test_add_path__refuses(
    pets: Revision, animals: Path, name: str, to: str, kind: type, says: str
) -> None:
    with pytest.raises(kind, match=says):
        add_path(animals, name, to)
    assert library.load("pets") == pets
