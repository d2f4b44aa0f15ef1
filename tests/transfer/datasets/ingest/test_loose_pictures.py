"""All pictures of a folder or zip are found, in whatever folders they lie."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from transfer.datasets.ingest import loose_pictures, staging
from transfer.errors import DatasetError, StorageError


def test_found__in_a_folder(tmp_path: Path) -> None:
    for name in ("b.JPG", "deep/er/a.png", "notes.txt", ".hidden.png"):
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"1")
    found = loose_pictures.list_pictures(tmp_path / "mine", tmp_path / "unpacked")
    assert [name for name, _ in found] == ["b.JPG", "deep/er/a.png"]
    assert [path for _, path in found] == [tmp_path / "mine" / n for n, _ in found]


def test_found__in_a_zip(
    tmp_path: Path, zipped: Callable[[dict[str, bytes]], Path]
) -> None:
    contents = {"x/b.png": b"two", "a.jpg": b"one", "__MACOSX/a.jpg": b"", "t.txt": b""}
    found = loose_pictures.list_pictures(zipped(contents), tmp_path / "unpacked")
    assert [name for name, _ in found] == ["a.jpg", "x/b.png"]
    assert [path.read_bytes() for _, path in found] == [b"one", b"two"]
    assert [path.name for _, path in found] == ["a.jpg", "b.png"]
    assert {path.parents[1] for _, path in found} == {tmp_path / "unpacked"}


def test_found__without_a_picture_says_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("a text")
    with pytest.raises(DatasetError, match='no picture in it.*"notes.txt"'):
        loose_pictures.list_pictures(tmp_path / "mine", tmp_path / "unpacked")


def test_found__pictures_of_any_ending(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "IMG_1").write_bytes(b"\xff\xd8\xff\xe0")
    found = loose_pictures.list_pictures(tmp_path / "mine", tmp_path / "unpacked")
    assert found == [("IMG_1", tmp_path / "mine" / "IMG_1")]


def test_found__an_unsafe_zip_is_refused(
    tmp_path: Path, zipped: Callable[[dict[str, bytes]], Path]
) -> None:
    with pytest.raises(DatasetError):
        loose_pictures.list_pictures(
            zipped({"../../evil.png": b"1"}), tmp_path / "unpacked"
        )
    assert not (tmp_path / "evil.png").exists()


def test_found__a_zip_larger_than_the_disk_is_refused(
    tmp_path: Path,
    zipped: Callable[[dict[str, bytes]], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = zipped({"a.png": b"1" * 1000})
    free = shutil.disk_usage(tmp_path)._replace(free=staging.SPARE_DISK + 999)
    monkeypatch.setattr(staging.shutil, "disk_usage", lambda _: free)
    with pytest.raises(StorageError, match="need"):
        loose_pictures.list_pictures(path, tmp_path / "unpacked")


def test_found__a_picture_damaged_in_the_zip_is_no_end(tmp_path: Path) -> None:
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.png", bytes(range(256)) * 40)
    content = bytearray(path.read_bytes())
    content[50:120] = b"?" * 70
    path.write_bytes(content)
    assert [
        name for name, _ in loose_pictures.list_pictures(path, tmp_path / "out")
    ] == ["a.png"]
