"""All pictures of a folder or zip are found, in whatever folders they lie."""

from collections.abc import Callable
from pathlib import Path

import pytest

from transfer.datasets import pictures
from transfer.errors import DatasetError


def test_found__in_a_folder(tmp_path: Path) -> None:
    for name in ("b.JPG", "deep/er/a.png", "notes.txt", ".hidden.png"):
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"1")
    found = pictures.found(tmp_path / "mine", tmp_path / "unpacked")
    assert [name for name, _ in found] == ["b.JPG", "deep/er/a.png"]
    assert [path for _, path in found] == [tmp_path / "mine" / n for n, _ in found]


def test_found__in_a_zip(
    tmp_path: Path, zipped: Callable[[dict[str, bytes]], Path]
) -> None:
    contents = {"x/b.png": b"two", "a.jpg": b"one", "__MACOSX/a.jpg": b"", "t.txt": b""}
    found = pictures.found(zipped(contents), tmp_path / "unpacked")
    assert [name for name, _ in found] == ["a.jpg", "x/b.png"]
    assert [path.read_bytes() for _, path in found] == [b"one", b"two"]
    assert [path.name for _, path in found] == ["a.jpg", "b.png"]
    assert {path.parents[1] for _, path in found} == {tmp_path / "unpacked"}


def test_found__an_unsafe_zip_is_refused(
    tmp_path: Path, zipped: Callable[[dict[str, bytes]], Path]
) -> None:
    with pytest.raises(DatasetError):
        pictures.found(zipped({"../../evil.png": b"1"}), tmp_path / "unpacked")
    assert not (tmp_path / "evil.png").exists()
