"""Folders and zips list alike; what is unsafe or unreadable is refused by name."""

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from transfer.datasets import sources
from transfer.datasets.sources import open_source
from transfer.errors import DatasetError

Zipped = Callable[[dict[str, bytes]], Path]

LEFTOVERS = {
    "a/.DS_Store": b"x",
    "a/Thumbs.db": b"x",
    "a/DESKTOP.INI": b"x",
    "__MACOSX/a/._1.jpg": b"x",
    ".git/config": b"x",
    "@eaDir/1.jpg": b"x",
}


def unpacked(folder: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_open_source__folder_and_zip_list_alike(tmp_path: Path, zipped: Zipped) -> None:
    contents = {"a/1.jpg": b"one", "b/c/2.JPG": b"two!"}
    folder = unpacked(tmp_path / "f", contents)
    (folder / "empty").mkdir()
    for path in (folder, zipped(contents | {"empty/": b""})):
        with open_source(path) as source:
            assert source.files == {"a/1.jpg": 3, "b/c/2.JPG": 4}
            assert "empty" in source.folders
            with source.open("b/c/2.JPG") as file:
                assert file.read() == b"two!"


def test_open_source__leftovers_are_silent(tmp_path: Path, zipped: Zipped) -> None:
    contents = {"a/1.jpg": b"one"} | LEFTOVERS
    for path in (unpacked(tmp_path / "f", contents), zipped(contents)):
        with open_source(path) as source:
            assert list(source.files) == ["a/1.jpg"]
            assert source.folders <= {"a"} and not source.passed_over


def test_open_source__hidden_folder_itself_may_be_imported(tmp_path: Path) -> None:
    with open_source(unpacked(tmp_path / ".mine", {"a/1.jpg": b"x"})) as source:
        assert list(source.files) == ["a/1.jpg"]


def test_open_source__links_are_named_not_followed(tmp_path: Path) -> None:
    outside = unpacked(tmp_path / "outside", {"secret.jpg": b"x"})
    folder = unpacked(tmp_path / "f", {"a/1.jpg": b"x"})
    (folder / "a" / "2.jpg").symlink_to(outside / "secret.jpg")
    (folder / "b").symlink_to(outside)
    with open_source(folder) as source:
        assert list(source.files) == ["a/1.jpg"]
        assert {one.path for one in source.passed_over} == {"a/2.jpg", "b"}


def test_open_source__nothing_there(tmp_path: Path) -> None:
    with (
        pytest.raises(DatasetError, match="nothing at .*gone"),
        open_source(tmp_path / "gone"),
    ):
        pass


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 and then nothing"])
def test_open_source__no_zip(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fake.zip"
    path.write_bytes(content)
    with (
        pytest.raises(DatasetError, match=r"fake\.zip is not a zip"),
        open_source(path),
    ):
        pass


def test_open_source__zip_cut_off(zipped: Zipped) -> None:
    path = zipped({"a/1.jpg": b"x" * 1000})
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(DatasetError, match="cut off"), open_source(path):
        pass


@pytest.mark.parametrize(
    "name", ["../1.jpg", "a/../../1.jpg", "/etc/1.jpg", "C:/1.jpg", "..\\1.jpg"]
)
def test_open_source__zip_that_leads_out(zipped: Zipped, name: str) -> None:
    path = zipped({"a/1.jpg": b"x", name: b"x"})
    with pytest.raises(DatasetError, match="leads out of the zip"), open_source(path):
        pass


def test_open_source__zip_with_a_password(zipped: Zipped) -> None:
    path = zipped({"a/1.jpg": b"x"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="password"), open_source(path):
        pass


def test_open_source__zip_that_claims_too_many_bytes(zipped: Zipped) -> None:
    names = {f"a/{number}.jpg": b"x" for number in range(60)}
    path = zipped(names)
    content = bytearray(path.read_bytes())
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        content[at + 24 : at + 28] = struct.pack("<I", 2**32 - 2)
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="would unpack to 60 files and 240.0 GB"):
        with open_source(path):
            pass


def test_open_source__zip_of_too_many_files(
    zipped: Zipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MAX_ZIP_FILES", 2)
    path = zipped({f"a/{number}.jpg": b"x" for number in range(3)})
    with pytest.raises(DatasetError, match="3 files .* at most 2 files"):
        with open_source(path):
            pass


def test_open_source__zip_with_backslashes(zipped: Zipped) -> None:
    with open_source(zipped({"a\\1.jpg": b"x"})) as source:
        assert list(source.files) == ["a/1.jpg"]


def test_open_source__zip_with_utf8_names_without_the_flag(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("aaaa/1.jpg", b"x")
    path.write_bytes(path.read_bytes().replace(b"aaaa", "üé".encode()))
    with open_source(path) as source:
        assert list(source.files) == ["üé/1.jpg"]
        assert source.open("üé/1.jpg").read(0) == b""
