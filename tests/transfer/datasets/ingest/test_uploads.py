"""Uploads: frames are read as they come, files lie where they belong, all count."""

import json
import os
import shutil
import struct
import time
from pathlib import Path
from typing import Any

import pytest

from transfer.datasets.ingest import frames, uploads
from transfer.datasets.ingest.frames import FrameParser, Piece
from transfer.datasets.ingest.sources import open_source
from transfer.errors import StorageError, UploadError, UploadTooLargeError


def frame(path: str, content: bytes, **header: Any) -> bytes:
    """One frame; it is the whole file unless `header` says otherwise."""
    size = len(content)
    values = {"path": path, "offset": 0, "size": size, "total": size, **header}
    encoded = json.dumps(values).encode()
    return struct.pack(">I", len(encoded)) + encoded + content


def piece(path: str, content: bytes, offset: int = 0, total: int = -1) -> Piece:
    total = offset + len(content) if total < 0 else total
    return Piece(path=path, offset=offset, total=total, content=content)


def stored_files(workspace: Path, upload: str) -> dict[str, bytes]:
    root = workspace / "uploads" / upload / "files"
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("chunk", [1, 3, 7, 1000])
def test_frame_parser__reads_chunks_of_any_size(chunk: int) -> None:
    batch = (
        frame("cat/a.jpg", b"first") + frame("dog/a.jpg", b"") + frame("b.png", b"x")
    )
    parser, found = FrameParser(), []
    for start in range(0, len(batch), chunk):
        found += parser.feed(batch[start : start + chunk])
    parser.finish()
    contents = [(one.path, one.content) for one in found]
    assert contents == [("cat/a.jpg", b"first"), ("dog/a.jpg", b""), ("b.png", b"x")]


@pytest.mark.parametrize("lost", [1, 4, 40])
def test_frame_parser__names_a_batch_that_was_cut_off(lost: int) -> None:
    parser = FrameParser()
    list(parser.feed(frame("a.jpg", b"content")[:-lost]))
    with pytest.raises(UploadError, match="cut off"):
        parser.finish()


@pytest.mark.parametrize(
    ("batch", "says"),
    [
        (b"GET / HTTP/1.1", "no batch"),
        (struct.pack(">I", 3) + b"[1]", "cannot be read"),
        (struct.pack(">I", 4) + b"\xff\xff\xff\xff", "cannot be read"),
        (frame("a.jpg", b"x", size="1"), "wrong kind"),
        (frame("a.jpg", b"x", offset=-1), "wrong kind"),
        (frame("a.jpg", b"x", size=True), "wrong kind"),
        (frame("a.jpg", b"xy", total=1), "beyond the file's end"),
        (frame("a.exe", b"x"), "neither a picture, a zip nor a file"),
        (frame("a\ud800.jpg", b"x"), "cannot be read"),
        (struct.pack(">I", 8000) + b"[" * 8000, "cannot be read"),
    ],
)
def test_frame_parser__refuses_what_is_no_batch(batch: bytes, says: str) -> None:
    with pytest.raises(UploadError, match=says):
        list(FrameParser().feed(batch))


def test_frame_parser__refuses_a_large_file_before_its_bytes_come() -> None:
    header = frame("a.jpg", b"", total=frames.MAX_PICTURE + 1)
    with pytest.raises(UploadTooLargeError, match=f"{frames.MAX_PICTURE:,}"):
        list(FrameParser().feed(header))


def test_frame_parser__refuses_a_large_piece_before_it_fills_the_memory() -> None:
    size = frames.MAX_PIECE + 1
    with pytest.raises(UploadTooLargeError, match=f"{frames.MAX_PIECE:,}"):
        list(FrameParser().feed(frame("a.zip", b"", size=size, total=size)))


def test_store__names_the_files_that_are_complete(workspace: Path) -> None:
    upload = uploads.start()
    done = uploads.store(upload, [piece("cat/a.jpg", b"1"), piece("dog/a.jpg", b"22")])
    assert done == ["cat/a.jpg", "dog/a.jpg"]
    assert stored_files(workspace, upload) == {"cat/a.jpg": b"1", "dog/a.jpg": b"22"}
    assert uploads.count(upload) == uploads.Count(files=2, bytes=3)


def test_store__takes_a_batch_again(workspace: Path) -> None:
    upload, batch = uploads.start(), [piece("a.jpg", b"1"), piece("b.jpg", b"2")]
    assert uploads.store(upload, batch) == uploads.store(upload, batch)
    assert uploads.count(upload).files == 2


def test_store__puts_pieces_together_and_counts_the_file_once_whole(
    workspace: Path,
) -> None:
    upload = uploads.start()
    first, last = piece("all.zip", b"abc", 0, 5), piece("all.zip", b"de", 3, 5)
    assert uploads.store(upload, [first]) == []
    assert uploads.count(upload).files == 0
    assert uploads.store(upload, [last]) == ["all.zip"]
    assert stored_files(workspace, upload) == {"all.zip": b"abcde"}


def test_store__takes_each_piece_again(workspace: Path) -> None:
    upload = uploads.start()
    first, last = piece("all.zip", b"abc", 0, 5), piece("all.zip", b"de", 3, 5)
    for one in (first, first, last, last):
        uploads.store(upload, [one])
    assert stored_files(workspace, upload) == {"all.zip": b"abcde"}


def test_store__refuses_a_piece_whose_forerunner_is_missing(workspace: Path) -> None:
    with pytest.raises(UploadError, match="earlier piece of 'all.zip'"):
        uploads.store(uploads.start(), [piece("all.zip", b"de", 3, 5)])


@pytest.mark.parametrize(
    "path", ["../a.jpg", "/etc/a.jpg", "cat/../../a.jpg", "", "a//b.jpg"]
)
def test_store__refuses_a_path_that_leads_out(workspace: Path, path: str) -> None:
    with pytest.raises(UploadError, match="not a path inside the upload"):
        uploads.store(uploads.start(), [piece(path, b"1")])


@pytest.mark.parametrize("path", ["a.jpg/b.jpg", "c", "/".join(["d" * 200] * 20)])
def test_store__refuses_a_path_that_has_no_place(workspace: Path, path: str) -> None:
    upload = uploads.start()
    uploads.store(upload, [piece("a.jpg", b"1"), piece("c/d.jpg", b"2")])
    with pytest.raises(UploadError, match="no place beside the other files"):
        uploads.store(upload, [piece(path, b"3")])


def test_store__refuses_an_upload_that_was_not_started_here(workspace: Path) -> None:
    with pytest.raises(UploadError, match="not an upload"):
        uploads.store("../runs", [piece("a.jpg", b"1")])


def test_store__says_how_full_the_disk_is(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = uploads.start()
    full = shutil._ntuple_diskusage(1 << 40, 1 << 40, 3 << 20)  # type: ignore[attr-defined]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(StorageError, match="disk is full: 3 MB are free"):
        uploads.store(upload, [piece("a.jpg", b"1")])
    assert uploads.count(upload).files == 0


@pytest.mark.parametrize("name", ["Blüte 花.jpg", "🌻.png", "a'b & c.jpg"])
def test_safe_path__keeps_names_of_any_script(name: str) -> None:
    assert str(uploads.safe_path(f"Blumen/{name}")) == f"Blumen/{name}"


def test_safe_path__keeps_apart_names_that_had_to_change() -> None:
    changed = [str(uploads.safe_path(name)) for name in ("a?.jpg", "a*.jpg", "a_.jpg")]
    assert len(set(changed)) == 3
    assert all(name.endswith(".jpg") for name in changed)


def test_safe_path__a_backslash_is_part_of_a_name() -> None:
    safe = uploads.safe_path("..\\evil/a\\b.jpg")
    assert len(safe.parts) == 2 and "\\" not in str(safe)


def test_true_names__are_what_the_browser_said(workspace: Path) -> None:
    upload = uploads.start()
    paths = ["100% #1?/a.jpg", "Pass:Fail/a.jpg", "cat/a*b.jpg", "cat/a\\b.jpg"]
    uploads.store(upload, [piece(path, b"1") for path in paths])
    with open_source(uploads.source(upload)) as source:
        assert sorted(source.files) == sorted(paths)
    elsewhere = workspace / "files"
    elsewhere.mkdir()
    assert uploads.true_names(elsewhere) == {}


def test_frame_parser__takes_a_picture_of_any_ending_by_its_first_bytes() -> None:
    jpeg = b"\xff\xd8\xff\xe0" + bytes(40)
    (found,) = FrameParser().feed(frame("cat/IMG_0001", jpeg))
    assert found.content == jpeg


def test_safe_path__shortens_what_a_file_system_cannot_hold() -> None:
    names = ["ü" * 200 + end + ".jpg" for end in "ab"]
    short = [str(uploads.safe_path(name)) for name in names]
    assert short[0] != short[1]
    assert all(len(name.encode()) < 255 for name in short)


def test_source__is_the_zip_if_that_is_all(workspace: Path) -> None:
    upload = uploads.start()
    uploads.store(upload, [piece("Flowers.ZIP", b"zip")])
    assert uploads.source(upload).name == "Flowers.ZIP"


def test_source__is_the_folder_of_several_files(workspace: Path) -> None:
    upload = uploads.start()
    uploads.store(upload, [piece("flowers/rose/a.jpg", b"1")])
    assert uploads.source(upload).name == "files"


def test_discard__leaves_nothing_and_may_come_twice(workspace: Path) -> None:
    upload = uploads.start()
    uploads.store(upload, [piece("a.jpg", b"1")])
    uploads.discard(upload)
    uploads.discard(upload)
    assert uploads.count(upload).files == 0
    assert not (workspace / "uploads" / upload).exists()


def test_discard_old__keeps_the_uploads_of_today(workspace: Path) -> None:
    old, new = uploads.start(), uploads.start()
    long_ago = time.time() - 2 * uploads.MAX_AGE
    for path in (workspace / "uploads" / old / "files", workspace / "uploads" / old):
        os.utime(path, (long_ago, long_ago))
    uploads.discard_old()
    assert [path.name for path in (workspace / "uploads").iterdir()] == [new]
