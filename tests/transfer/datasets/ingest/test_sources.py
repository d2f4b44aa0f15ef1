"""Folders and zips list alike; what is unsafe or unreadable is refused by name."""

import os
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from transfer.datasets.ingest import code_pages, sources
from transfer.datasets.ingest.sources import open_source
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


@pytest.mark.parametrize("inside", [False, True])
def test_open_source__a_pipe_is_refused_or_named_and_never_opened(
    tmp_path: Path, inside: bool
) -> None:
    folder = unpacked(tmp_path / "f", {"a/1.jpg": b"x"})
    pipe = folder / "a" / "2.jpg" if inside else tmp_path / "pipe.zip"
    os.mkfifo(pipe)
    if inside:
        with open_source(folder) as source:
            assert list(source.files) == ["a/1.jpg"]
            assert "a pipe" in source.passed_over[0].reason
    else:
        with pytest.raises(DatasetError, match="a device or a pipe"):
            with open_source(pipe):
                pass


def test_open_source__what_lies_too_deep_is_named(
    tmp_path: Path, zipped: Zipped
) -> None:
    deep = "/".join(["d"] * sources.MAX_DEPTH)
    contents = {f"a{deep[1:]}.jpg": b"x", f"b/{deep}/1.jpg": b"x"}
    for path in (unpacked(tmp_path / "f", contents), zipped(contents)):
        with open_source(path) as source:
            assert list(source.files) == [f"a{deep[1:]}.jpg"]
            assert "More than 40 folders" in source.passed_over[0].reason


def test_open_source__a_zip_entry_of_30_000_folders_takes_no_memory(
    zipped: Zipped,
) -> None:
    path = zipped({"d/" * 30_000 + "1.jpg": b"x", "a/1.jpg": b"x"})
    tracemalloc.start()
    with open_source(path) as source:
        assert list(source.files) == ["a/1.jpg"] and len(source.passed_over) == 1
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_open_source__pictures_are_known_by_their_first_bytes(
    tmp_path: Path, zipped: Zipped
) -> None:
    contents = {"a/1": b"\xff\xd8\xff\xe0", "a/2.dat": b"GIF89a", "a/3.txt": b"text"}
    for path in (unpacked(tmp_path / "f", contents), zipped(contents)):
        with open_source(path) as source:
            assert source.pictures == {"a/1", "a/2.dat"}


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


def zip_of_names(path: Path, names: list[bytes], extra: bytes = b"") -> Path:
    """A zip whose names are these bytes, with no word of their code page."""
    stand_ins = [
        f"{number:03}".ljust(len(name), "x") for number, name in enumerate(names)
    ]
    with zipfile.ZipFile(path, "w") as archive:
        for stand_in in stand_ins:
            info = zipfile.ZipInfo(stand_in)
            info.extra = extra
            archive.writestr(info, b"x")
    content = path.read_bytes()
    for stand_in, name in zip(stand_ins, names, strict=True):
        content = content.replace(stand_in.encode(), name)
    path.write_bytes(content)
    return path


def test_open_source__zip_with_utf8_names_without_the_flag(tmp_path: Path) -> None:
    path = zip_of_names(tmp_path / "a.zip", ["üé/1.jpg".encode()])
    with open_source(path) as source:
        assert list(source.files) == ["üé/1.jpg"]
        assert source.open("üé/1.jpg").read(0) == b""
        assert not source.notes


@pytest.mark.parametrize(
    ("code_page", "classes"),
    [
        ("cp932", ["ソース", "ソファ", "犬"]),  # the second byte of ソ is a backslash
        ("big5", ["功能", "功夫", "狗"]),  # and that of 功
        ("gbk", ["猫", "狗", "花"]),
        ("cp866", ["кот", "собака"]),
        ("cp1252", ["café", "thé"]),
        ("cp437", ["Häuser", "Bäume"]),
    ],
)
def test_open_source__zip_names_in_the_code_page_of_a_country(
    tmp_path: Path, code_page: str, classes: list[str]
) -> None:
    names = [f"{one}\\1.jpg" for one in classes]
    path = zip_of_names(tmp_path / "a.zip", [one.encode(code_page) for one in names])
    with open_source(path) as source:
        assert sorted(source.files) == sorted(f"{one}/1.jpg" for one in classes)
        assert source.code_page == code_page
        assert code_pages.CODE_PAGES[code_page] in source.notes[0]


def test_open_source__the_code_page_that_was_said_counts(tmp_path: Path) -> None:
    path = zip_of_names(tmp_path / "a.zip", ["кот/1.jpg".encode("cp866")])
    with open_source(path, "cp1251") as source:
        assert list(source.files) == ["Є®в/1.jpg"]
    with pytest.raises(DatasetError, match="not written in UTF-8"):
        with open_source(path, "utf-8"):
            pass
    with pytest.raises(DatasetError, match='no code page "x"'):
        with open_source(path, "x"):
            pass


def test_open_source__the_name_in_utf8_beside_the_other_counts(tmp_path: Path) -> None:
    name, other = "猫/1.jpg".encode(), b"??/1.jpg"
    told = b"\x01" + struct.pack("<I", zlib.crc32(other)) + name
    extra = struct.pack("<HH", 0x7075, len(told)) + told
    path = zip_of_names(tmp_path / "a.zip", [other], extra)
    with open_source(path) as source:
        assert list(source.files) == ["猫/1.jpg"]
