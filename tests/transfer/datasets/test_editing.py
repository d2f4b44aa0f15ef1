"""A correction makes a new revision and leaves the old one as it was."""

import hashlib
import io
from pathlib import Path

import pytest

from tests.pictures import noisy_picture
from transfer.datasets import editing, library
from transfer.datasets.ingest.importer import import_path
from transfer.datasets.revision import Revision
from transfer.errors import ImageError, NotFoundError


@pytest.fixture
def pets(workspace: Path, animals: Path) -> Revision:
    """A dataset with the classes cat and dog."""
    return import_path(animals, "pets")


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
    library.delete("pets")
    assert not list((workspace / "images").glob("*/*"))
