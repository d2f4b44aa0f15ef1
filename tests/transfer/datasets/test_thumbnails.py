"""Thumbnails are made once, go with their dataset, and stay within their room."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pictures import delete_dataset, make_pictures
from transfer.datasets import away, decoding, library, thumbnails
from transfer.datasets.ingest.adding import add_path
from transfer.datasets.ingest.importer import import_path
from transfer.datasets.revision import Revision
from transfer.errors import ImageError


@pytest.fixture
def pets(workspace: Path, tmp_path: Path) -> Revision:
    """A dataset of four images."""
    return import_path(make_pictures(tmp_path / "a", {"cat": 2, "dog": 2}), "pets")


def kept(workspace: Path) -> list[Path]:
    return sorted(workspace.glob("thumbnails/*/*"))


@pytest.fixture
def unmade(pets: Revision, workspace: Path) -> Revision:
    """The same whose thumbnails were discarded."""
    for path in kept(workspace):
        path.unlink()
    return pets


def test_import__makes_those_of_all_images(
    pets: Revision, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [path.name for path in kept(workspace)] == sorted(
        one.sha256 for one in pets.images
    )
    monkeypatch.delattr(away, "encode_thumbnail")
    sha256 = pets.images[0].sha256
    path = library.image_path(sha256)
    assert thumbnails.of_image(sha256) == decoding.encode_thumbnail(path)


def test_import__makes_none_of_a_small_jpeg_nor_of_deep_grey(
    workspace: Path, tmp_path: Path
) -> None:
    made = make_pictures(tmp_path / "a", {"cat": 2, "dog": 2}, extension=".jpg")
    deep = np.arange(1600, dtype=np.uint16).reshape(40, 40)
    Image.fromarray(deep).save(made / "cat" / "deep.png")
    import_path(made, "cats", val=0)
    assert not kept(workspace)


def test_add_path__makes_those_of_what_was_added(
    pets: Revision, workspace: Path, tmp_path: Path
) -> None:
    added = make_pictures(tmp_path / "b", {"owl": 2}, seed=1)
    assert add_path(added, "pets").added == 2
    assert len(kept(workspace)) == len(pets.images) + 2


def test_of_image__one_that_was_discarded_is_made_again_once(
    unmade: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = unmade.images[0].sha256
    first = thumbnails.of_image(sha256)
    assert first == decoding.encode_thumbnail(library.image_path(sha256))
    monkeypatch.delattr(away, "encode_thumbnail")
    assert thumbnails.of_image(sha256) == first


def test_of_image__another_range_of_grey_is_another_picture(
    unmade: Revision, workspace: Path
) -> None:
    for grey in (None, (0.0, 1.0), (0.0, 4095.0)):
        thumbnails.of_image(unmade.images[0].sha256, grey)
    assert len(kept(workspace)) == 3


def test_of_image__a_full_disk_hides_no_picture(
    unmade: Revision, workspace: Path
) -> None:
    shutil.rmtree(workspace / "thumbnails")
    (workspace / "thumbnails").write_text("no folder can be made here")
    assert thumbnails.of_image(unmade.images[0].sha256)


def test_of_image__goes_with_its_dataset(pets: Revision, workspace: Path) -> None:
    sha256 = pets.images[0].sha256
    thumbnails.of_image(sha256)
    delete_dataset("pets")
    assert not kept(workspace)
    with pytest.raises(ImageError, match="does not exist"):
        thumbnails.of_image(sha256)


def test_discard_old__the_longest_unseen_go_first(
    pets: Revision, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for image in pets.images:
        thumbnails.of_image(image.sha256)
    old, *others = kept(workspace)
    os.utime(old, (1000, 1000))
    room = sum(path.stat().st_size for path in others)
    monkeypatch.setattr(thumbnails, "MAX_BYTES", room)
    thumbnails.discard_old()
    assert kept(workspace) == others
    os.utime(others[0], (1000, 1000))
    thumbnails.of_image(others[0].name)  # looked at, so it is new again
    assert others[0].stat().st_mtime > 2000
