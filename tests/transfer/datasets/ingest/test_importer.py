"""A folder or zip becomes a dataset whole, or leaves nothing behind."""

import errno
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pictures import delete_dataset, make_pictures, noisy_picture
from transfer import workspace as places
from transfer.datasets import decoding, library
from transfer.datasets.ingest import staging
from transfer.datasets.ingest.importer import import_path
from transfer.datasets.ingest.layouts import Reading
from transfer.datasets.revision import Revision
from transfer.errors import ConfigError, DatasetError, NameTakenError, StorageError

pytestmark = pytest.mark.usefixtures("workspace")

OPEN = Path.open


def files_left(workspace: Path) -> list[Path]:
    return [path for path in workspace.rglob("*") if path.is_file() and path.suffix]


def stored_images(workspace: Path) -> set[str]:
    return {path.name for path in workspace.glob("images/*/*")}


def reasons(revision: Revision) -> dict[str, str]:
    return {one.path: one.reason for one in revision.passed_over}


def zip_of(folder: Path, path: Path) -> Path:
    return Path(shutil.make_archive(str(path), "zip", folder.parent, folder.name))


def test_import_path__folder(animals: Path, workspace: Path) -> None:
    revision = import_path(animals, "Animals")
    assert revision.class_names == ("cat", "dog")
    assert revision.counts() == {
        "cat": {"train": 4, "val": 1, "test": 0},
        "dog": {"train": 2, "val": 1, "test": 0},
    }
    assert revision.split_source == "stratified" and not revision.passed_over
    assert revision.images[0].path == "cat/cat_0.png"
    assert stored_images(workspace) == {image.sha256 for image in revision.images}
    assert library.load("Animals") == revision
    stored = library.image_path(revision.images[0].sha256)
    assert stored.read_bytes() == (animals / "cat/cat_0.png").read_bytes()
    assert not list((workspace / "importing").iterdir())


def test_import_path__zip_gives_what_the_folder_gives(
    animals: Path, tmp_path: Path
) -> None:
    folder = import_path(animals, "folder")
    zipped = import_path(zip_of(animals, tmp_path / "a"), "zip")
    hashes = [(one.sha256, one.label, one.split) for one in folder.images]
    assert hashes == [(one.sha256, one.label, one.split) for one in zipped.images]
    assert zipped.images[0].path == "animals/cat/cat_0.png"


def test_import_path__same_content_same_id(animals: Path) -> None:
    first = import_path(animals, "a")
    delete_dataset("a")
    assert import_path(animals, "a").id == first.id
    delete_dataset("a")
    assert import_path(animals, "a", seed=1).id != first.id


def test_import_path__given_splits_are_kept(tmp_path: Path) -> None:
    root = tmp_path / "set" / "wrapped"
    make_pictures(root / "Train", {"ant": 2, "bee": 3, "cow": 2}, seed=1)
    make_pictures(root / "valid", {"bee": 2, "cow": 1}, seed=2)
    make_pictures(root / "TEST", {"cow": 2}, seed=3)
    revision = import_path(tmp_path / "set", "given", val=0.5, test=0.4)
    assert revision.split_source == "given"
    assert revision.counts() == {
        "ant": {"train": 2, "val": 0, "test": 0},
        "bee": {"train": 3, "val": 2, "test": 0},
        "cow": {"train": 2, "val": 1, "test": 2},
    }


def test_import_path__val_is_taken_out_of_train(tmp_path: Path) -> None:
    make_pictures(tmp_path / "set/train", {"cat": 10, "dog": 10}, seed=1)
    make_pictures(tmp_path / "set/test", {"cat": 3, "dog": 3}, seed=2)
    revision = import_path(tmp_path / "set", "a", val=0.2, test=0.5)
    assert revision.split_source == "stratified"
    assert revision.counts()["cat"] == {"train": 8, "val": 2, "test": 3}
    tested = {image.path for image in revision.of_split("test")}
    assert all(path.startswith("test/") for path in tested)


def test_import_path__class_with_one_image_trains(tmp_path: Path) -> None:
    folder = make_pictures(tmp_path / "a", {"cat": 1, "dog": 2})
    counts = import_path(folder, "a", val=0.9).counts()
    assert counts["cat"] == {"train": 1, "val": 0, "test": 0}
    assert counts["dog"] == {"train": 1, "val": 1, "test": 0}


def test_import_path__upper_case_extensions_and_leftovers(animals: Path) -> None:
    make_pictures(animals, {"elk": 2}, extension=".JPG", seed=5)
    (animals / ".DS_Store").write_bytes(b"x")
    (animals / "cat/Thumbs.db").write_bytes(b"x")
    revision = import_path(animals, "a")
    assert revision.class_names == ("cat", "dog", "elk")
    assert sum(revision.counts()["elk"].values()) == 2
    assert revision.passed_over == ()


def test_import_path__broken_files_are_named_and_the_rest_goes_on(
    animals: Path, workspace: Path
) -> None:
    whole = (animals / "cat/cat_0.png").read_bytes()
    (animals / "cat/corrupt.png").write_bytes(whole[: len(whole) // 2])
    (animals / "cat/text.jpg").write_text("a text")
    (animals / "dog/zero.jpg").touch()
    (animals / "dog/notes.txt").write_text("a text")
    revision = import_path(animals, "a")
    assert len(revision.images) == 8 == len(stored_images(workspace))
    told = reasons(revision)
    assert list(told) == sorted(told) and len(told) == 4
    assert "damaged or cut off" in told["cat/corrupt.png"]
    assert "not a picture" in told["cat/text.jpg"]
    assert "empty (0 bytes)" in told["dog/zero.jpg"]
    assert told["dog/notes.txt"] == "Not an image file."


def test_import_path__member_damaged_in_the_zip(animals: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for picture in sorted(animals.rglob("*.png")):
            archive.write(picture, picture.relative_to(animals))
    content = bytearray(path.read_bytes())
    content[len("cat/cat_0.png") + 30 + 200] ^= 255
    path.write_bytes(content)
    revision = import_path(path, "a")
    assert "damaged in the zip" in reasons(revision)["cat/cat_0.png"]
    assert len(revision.images) == 7


def test_import_path__file_that_may_not_be_read(
    animals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_one(path: Path, *how: Any, **more: Any) -> object:
        if path.name == "cat_1.png":
            raise PermissionError(errno.EACCES, "Permission denied")
        return OPEN(path, *how, **more)

    monkeypatch.setattr(Path, "open", refuse_one)
    assert "Permission denied" in reasons(import_path(animals, "a"))["cat/cat_1.png"]


def test_import_path__huge_file_is_passed_over(
    animals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (animals / "cat/huge.png").write_bytes(b"x" * 100_000)
    monkeypatch.setattr(staging, "MAX_FILE_BYTES", 50_000)
    assert "at most" in reasons(import_path(animals, "a"))["cat/huge.png"]


def test_import_path__same_picture_twice_in_a_class(animals: Path) -> None:
    shutil.copy(animals / "cat/cat_1.png", animals / "cat/copy.png")
    revision = import_path(animals, "a")
    assert reasons(revision) == {"cat/copy.png": "The same picture as cat/cat_1.png."}
    hashes = [image.sha256 for image in revision.images]
    assert len(set(hashes)) == len(hashes) == 8


def test_import_path__same_picture_in_two_classes(animals: Path) -> None:
    shutil.copy(animals / "cat/cat_1.png", animals / "dog/aaa.png")
    told = reasons(import_path(animals, "a"))["dog/aaa.png"]
    assert "cat/cat_1.png" in told and "conflicting label" in told


def test_import_path__same_picture_in_train_and_val(tmp_path: Path) -> None:
    make_pictures(tmp_path / "a/train", {"cat": 3, "dog": 3}, seed=1)
    make_pictures(tmp_path / "a/Val", {"cat": 2, "dog": 2}, seed=2)
    shutil.copy(tmp_path / "a/train/cat/cat_0.png", tmp_path / "a/Val/cat/leak.png")
    revision = import_path(tmp_path / "a", "a")
    told = reasons(revision)["Val/cat/leak.png"]
    assert "train/cat/cat_0.png" in told and "leak from train into val" in told
    assert revision.counts()["cat"] == {"train": 3, "val": 2, "test": 0}


def test_import_path__class_of_broken_files(animals: Path) -> None:
    for path in (animals / "dog").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DatasetError, match=r'None of the 3 .* "dog" .* \(0 bytes\)'):
        import_path(animals, "a")


def test_import_path__class_that_only_repeats_another(animals: Path) -> None:
    shutil.rmtree(animals / "dog")
    shutil.copytree(animals / "cat", animals / "dog")
    with pytest.raises(DatasetError, match="conflicting label"):
        import_path(animals, "a")


def test_import_path__empty_class_folder(animals: Path) -> None:
    (animals / "elk").mkdir()
    revision = import_path(animals, "a")
    assert reasons(revision) == {"elk": "A folder without pictures."}
    assert revision.class_names == ("cat", "dog")


def test_import_path__what_was_understood_is_kept_with_the_dataset(
    tmp_path: Path,
) -> None:
    make_pictures(tmp_path / "a/Training", {"cat": 3, "dog": 3}, seed=1)
    make_pictures(tmp_path / "a/Testing", {"cat": 2, "dog": 2}, seed=2)
    revision = import_path(tmp_path / "a", "a")
    assert revision.counts()["cat"] == {"train": 2, "val": 1, "test": 2}
    assert revision.notes == (
        "Folders that are splits: Testing is test, Training is train.",
    )
    assert library.load("a") == revision


def test_import_path__what_earlier_versions_wrote_is_still_read(animals: Path) -> None:
    revision = import_path(animals, "a")
    written = revision.to_json()
    del written["notes"]
    assert Revision.from_json(written) == revision


def test_import_path__is_told_how_to_read(tmp_path: Path) -> None:
    make_pictures(tmp_path / "a/2023", {"cat": 3, "dog": 3}, seed=1)
    make_pictures(tmp_path / "a/2024", {"cat": 2, "dog": 2}, seed=2)
    assert import_path(tmp_path / "a", "a").class_names == ("2023", "2024")
    reading = Reading(layout="splits", splits={"2024": "val"})
    revision = import_path(tmp_path / "a", "b", reading=reading)
    assert revision.class_names == ("cat", "dog")
    assert revision.counts()["cat"] == {"train": 3, "val": 2, "test": 0}


@pytest.mark.parametrize(
    ("ending", "kind"),
    [(".jfif", "JPEG"), (".jpe", "JPEG"), ("", "JPEG"), (".ppm", "PPM"), (".x", "PNG")],
)
def test_import_path__pictures_of_any_ending(
    tmp_path: Path, ending: str, kind: str
) -> None:
    for name, hue in (("cat", 0.1), ("dog", 0.6)):
        (tmp_path / "a" / name).mkdir(parents=True)
        for number in range(2):
            picture = noisy_picture(hue, seed=number)
            picture.save(tmp_path / "a" / name / f"{number}{ending}", kind)
    (tmp_path / "a" / "cat" / "notes").write_text("P1 is no picture")
    for path in (tmp_path / "a", zip_of(tmp_path / "a", tmp_path / "zip")):
        revision = import_path(path, path.stem)
        assert len(revision.images) == 4 and len(revision.passed_over) == 1


def test_import_path__wrong_settings_before_any_work(animals: Path) -> None:
    with pytest.raises(ConfigError, match="val is 0.95"):
        import_path(animals, "a", val=0.95)
    with pytest.raises(ConfigError, match="cannot be used"):
        import_path(animals, "../a")
    import_path(animals, "a")
    with pytest.raises(NameTakenError, match='already a dataset named "a"'):
        import_path(animals, "A")


def test_import_path__progress_counts_every_picture(animals: Path) -> None:
    seen: list[tuple[int, int]] = []
    (animals / "cat/zero.jpg").touch()
    import_path(animals, "a", progress=lambda done, all_: seen.append((done, all_)))
    assert seen == [(number, 9) for number in range(1, 10)]


class Interruption(BaseException):
    """What Streamlit raises in a script that a rerun replaces."""


def test_import_path__interrupted_leaves_nothing(
    animals: Path, workspace: Path
) -> None:
    def interrupt(done: int, _: int) -> None:
        if done == 3:
            raise Interruption

    with pytest.raises(Interruption):
        import_path(animals, "a", progress=interrupt)
    assert not stored_images(workspace) and not library.list_datasets()
    assert not list((workspace / "importing").iterdir())


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("fails_at", ["copy", "move", "manifest", "newest"])
def test_import_path__full_disk_leaves_nothing(
    animals: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, fails_at: str
) -> None:
    kept = import_path(make_pictures(animals.parent / "b", {"x": 2, "y": 2}), "kept")
    if fails_at == "copy":
        monkeypatch.setattr(Path, "open", fail_in_staging([]))
    elif fails_at == "move":
        monkeypatch.setattr(Path, "replace", fail_after(3, Path.replace))
    else:
        allowed = 0 if fails_at == "manifest" else 1
        monkeypatch.setattr(places.os, "replace", fail_after(allowed, os.replace))
    with pytest.raises(StorageError, match="disk is full"):
        import_path(animals, "a")
    monkeypatch.undo()
    monkeypatch.setenv("TRANSFER_HOME", str(workspace))
    assert stored_images(workspace) == {image.sha256 for image in kept.images}
    assert library.list_datasets() == [kept]
    assert not list((workspace / "importing").iterdir())
    assert not (workspace / "datasets" / "a").exists()
    assert len(import_path(animals, "a").images) == 8


def fail_in_staging(copies: list[Path]) -> Callable[..., object]:
    """Opens all but the fifth copy, whose write the disk refuses."""

    def open_path(path: Path, mode: str = "r", *how: Any, **more: Any) -> object:
        if mode == "wb":
            copies.append(path)
            if len(copies) == 5:
                full()
        return OPEN(path, mode, *how, **more)

    return open_path


def fail_after(times: int, work: Callable[..., object]) -> Callable[..., object]:
    calls: list[object] = []

    def failing(*arguments: object) -> object:
        calls.append(arguments)
        return work(*arguments) if len(calls) <= times else full()

    return failing


def test_import_path__too_little_space_is_seen_before_copying(
    animals: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(animals)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StorageError, match="need .* MB, but .* has under 1 MB left"):
        import_path(animals, "a")
    assert not list((workspace / "importing").iterdir())


def test_import_path__name_taken_while_it_copied(
    animals: Path, workspace: Path
) -> None:
    other = make_pictures(animals.parent / "b", {"x": 2, "y": 2}, seed=9)
    first: list[Revision] = []

    def race(done: int, _: int) -> None:
        if done == 1:
            first.append(import_path(other, "a"))

    with pytest.raises(NameTakenError):
        import_path(animals, "a", progress=race)
    assert library.list_datasets() == first
    assert stored_images(workspace) == {image.sha256 for image in first[0].images}


def test_import_path__what_a_killed_import_left_is_removed(
    animals: Path, workspace: Path
) -> None:
    abandoned = workspace / "importing" / "dead"
    abandoned.mkdir(parents=True)
    (abandoned / "0").write_bytes(b"half a picture")
    abandoned.with_suffix(".lock").touch()
    import_path(animals, "a")
    assert not list((workspace / "importing").iterdir())


def test_import_path__stored_pictures_decode(animals: Path) -> None:
    for image in import_path(animals, "a").images:
        assert decoding.decode(library.image_path(image.sha256)).shape == (32, 32, 3)
