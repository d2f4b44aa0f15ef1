"""Thumbnails are made once, go with their dataset, and stay within their room."""

import os
from pathlib import Path

import pytest

from tests.pictures import delete_dataset, make_pictures
from transfer.datasets import decoding, library, thumbnails
from transfer.datasets.ingest.importer import import_path
from transfer.datasets.revision import Revision
from transfer.errors import ImageError


@pytest.fixture
def pets(workspace: Path, tmp_path: Path) -> Revision:
    """A dataset of four images."""
    return import_path(make_pictures(tmp_path / "a", {"cat": 2, "dog": 2}), "pets")


def kept(workspace: Path) -> list[Path]:
    return sorted(workspace.glob("thumbnails/*/*"))


def test_of_image__is_made_once(
    pets: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = pets.images[0].sha256
    first = thumbnails.of_image(sha256)
    assert first == decoding.encode_thumbnail(library.image_path(sha256))
    monkeypatch.delattr(decoding, "encode_thumbnail")
    assert thumbnails.of_image(sha256) == first


def test_of_image__another_range_of_grey_is_another_picture(
    pets: Revision, workspace: Path
) -> None:
    for grey in (None, (0.0, 1.0), (0.0, 4095.0)):
        thumbnails.of_image(pets.images[0].sha256, grey)
    assert len(kept(workspace)) == 3


def test_of_image__a_full_disk_hides_no_picture(
    pets: Revision, workspace: Path
) -> None:
    (workspace / "thumbnails").write_text("no folder can be made here")
    assert thumbnails.of_image(pets.images[0].sha256)


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
