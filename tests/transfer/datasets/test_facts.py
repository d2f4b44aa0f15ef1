"""Size, bytes and date of images are read once, and kept beside the dataset."""

import calendar
import io
from pathlib import Path

import pytest
from PIL import Image

from tests.pictures import noisy_picture
from transfer.datasets import facts, library
from transfer.datasets.ingest.adding import add_path
from transfer.datasets.revision import Revision


def photograph(taken: str) -> bytes:
    """A JPEG that says when it was taken."""
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = taken
    noisy_picture(0.5, (24, 40)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def test_read__size_bytes_and_date() -> None:
    content = photograph("2026:01:31 12:30:00")
    found = facts.read(io.BytesIO(content))
    taken = calendar.timegm((2026, 1, 31, 12, 30, 0))
    assert found == facts.Fact(40, 24, len(content), taken)
    assert facts.read(io.BytesIO(photograph("0000:00:00"))).taken == 0


def test_of__an_import_and_an_addition_keep_them(
    pets: Revision, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new.jpg").write_bytes(photograph("2026:01:31 12:30:00"))
    revision = add_path(tmp_path / "new.jpg", "pets", "cat").revision
    monkeypatch.setattr(facts, "read", None)  # no file is opened any more
    found = facts.of("pets", revision.images)
    assert set(zip(found["width"], found["height"], strict=True)) == {
        (32, 32),
        (40, 24),
    }
    sizes = [library.image_path(one.sha256).stat().st_size for one in revision.images]
    assert found["bytes"].tolist() == sizes
    assert (found["taken"] > 0).sum() == 1


def test_of__what_is_not_kept_is_read(pets: Revision, workspace: Path) -> None:
    path = workspace / "datasets" / "pets" / "facts.npy"
    before = facts.of("pets", pets.images).tolist()
    path.write_bytes(b"damaged")
    library.image_path(pets.images[0].sha256).write_bytes(b"damaged too")
    after = facts.of("pets", pets.images).tolist()
    assert after[1:] == before[1:]
    assert after[0][1:] == (0, 0, 0, 0.0)
