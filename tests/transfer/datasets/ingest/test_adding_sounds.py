"""More recordings for a dataset of sounds, in words for recordings."""

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pictures import make_pictures
from tests.sounds_made import encode, make_sounds, tone
from transfer.datasets import editing, library
from transfer.datasets.ingest import adding, hearing
from transfer.datasets.ingest.sounds import import_sounds
from transfer.datasets.revision import Change, Revision, with_id
from transfer.datasets.sounds.windows import Cutting
from transfer.errors import ConfigError, DatasetError, ImageError, StorageError
from transfer.pile import waiting


@pytest.fixture
def notes(workspace: Path, tmp_path: Path) -> Path:
    """A folder whose recordings of 3 s are the dataset `notes`, in windows of 1 s."""
    folder = make_sounds(tmp_path / "notes", {"low": 4, "high": 4}, seconds=3.0)
    import_sounds(folder, "notes", cutting=Cutting(window=1.0))
    return folder


def test_add_path__a_recording_is_cut_as_those_before(
    notes: Path, tmp_path: Path
) -> None:
    path = tmp_path / "more.wav"
    path.write_bytes(encode(tone(700, 4.0)))
    found = adding.add_path(path, "notes", "high")
    assert found.added == 4
    new = [one for one in found.revision.images if "more.wav" in one.path]
    assert {one.split for one in new} == {"train"}
    assert {hearing.recording_of(one.path) for one in new} == {"more.wav"}


@pytest.mark.parametrize("window", [-1.0, 0.001, 1e6])
def test_add_path__a_window_that_cannot_be_is_refused(
    notes: Path, tmp_path: Path, window: float
) -> None:
    path = tmp_path / "more.wav"
    path.write_bytes(encode(tone(700, 4.0)))
    with pytest.raises(ConfigError, match="seconds, but must be from"):
        adding.add_path(path, "notes", "high", window=window)


def _add(folder: Path, hertz: int, **how: Any) -> int:
    """How many images come of a recording of 4 s that is added to `notes`."""
    path = folder / f"{hertz}.wav"
    path.write_bytes(encode(tone(hertz, 4.0)))
    return adding.add_path(path, "notes", "high", **how).added


def test_add_path__a_window_is_kept_for_what_is_added_later(
    notes: Path, tmp_path: Path
) -> None:
    assert _add(tmp_path, 500, window=2.0) == 2
    assert library.load("notes").cutting == (2.0, 0.0)
    assert _add(tmp_path, 600) == 2
    assert _add(tmp_path, 700, window=0.0) == 1
    assert _add(tmp_path, 800) == 1


def test_add_path__once_is_not_kept(notes: Path, tmp_path: Path) -> None:
    assert _add(tmp_path, 500, window=0.0, once=True) == 1
    assert library.load("notes").cutting == (1.0, 0.0)
    assert _add(tmp_path, 600) == 4


@pytest.mark.usefixtures("workspace")
def test_add_path__what_was_not_cut_stays_whole(tmp_path: Path) -> None:
    folder = make_sounds(tmp_path / "notes", {"low": 4, "high": 4}, seconds=1.0)
    made = import_sounds(folder, "notes")
    assert made.cutting == (0.0, 0.0)
    assert _add(tmp_path, 500, window=1.0) == 4
    # Windows are there now, but that is said and not guessed.
    library.amend("notes", lambda _: Change(says="", made_at=1, cutting=Cutting()))
    assert _add(tmp_path, 600) == 1


@pytest.mark.usefixtures("workspace")
def test_add_path__once_is_not_kept_where_a_manifest_of_before_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_sounds(tmp_path / "notes", {"low": 4, "high": 4}, seconds=1.0)
    made = import_sounds(folder, "notes")
    before = replace(made, cutting=None)
    with monkeypatch.context() as patch:
        patch.setattr(adding.library, "load", lambda _: before)
        assert _add(tmp_path, 500, window=1.0, once=True) == 4
    assert library.load("notes").cutting == (0.0, 0.0)
    assert _add(tmp_path, 600) == 1


@pytest.mark.usefixtures("workspace")
def test_import_sounds__a_full_disk_is_no_damaged_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = make_sounds(tmp_path / "notes", {"low": 2, "high": 2}, seconds=3.0)
    monkeypatch.setattr(hearing.Path, "write_bytes", fill)
    with pytest.raises(StorageError, match="full"):
        import_sounds(folder, "notes", cutting=Cutting(window=1.0))


@pytest.mark.usefixtures("workspace")
def test_with_id__that_nothing_is_cut_changes_no_id(tmp_path: Path) -> None:
    folder = make_sounds(tmp_path / "notes", {"low": 4, "high": 4})
    made = import_sounds(folder, "notes")
    assert with_id(replace(made, cutting=None)).id == made.id
    assert with_id(replace(made, cutting=Cutting(1.0))).id != made.id


def test_add_path__images_are_not_cut(pets: Revision, tmp_path: Path) -> None:
    more = make_pictures(tmp_path / "more", {"cat": 1}, seed=3)
    with pytest.raises(ConfigError, match="Only recordings are cut"):
        adding.add_path(more, "pets", "cat", window=2.0)


def test_add_path__windows_overlap_as_those_before(
    workspace: Path, tmp_path: Path
) -> None:
    folder = make_sounds(tmp_path / "notes", {"low": 4, "high": 4}, seconds=3.0)
    import_sounds(folder, "notes", cutting=Cutting(1.0, 0.5))
    for number, seconds in enumerate((3.0, 2.0)):
        path = tmp_path / f"more{number}.wav"
        path.write_bytes(encode(tone(700 + 90 * number, seconds)))
        assert adding.add_path(path, "notes", "high").added == 2 * seconds - 1
    assert library.load("notes").cutting == (1.0, 0.5)


def test_add_path__of_a_new_class_recordings_stay_together(
    notes: Path, tmp_path: Path
) -> None:
    folder = make_sounds(tmp_path / "more", {"background": 5}, seconds=2.5)
    for one in (folder / "background").iterdir():
        seed = int(one.stem[-1])
        hiss = 0.05 * np.random.default_rng(seed).standard_normal(20_000)
        one.write_bytes(encode(hiss.astype(np.float32)))
    after = adding.add_path(folder, "notes").revision
    new = [one for one in after.images if one.path.startswith("background")]
    splits = {(hearing.recording_of(one.path), one.split) for one in new}
    assert len(splits) == 5
    assert {split for _, split in splits} == {"train", "val"}


def test_add_path__pictures_are_no_recordings(notes: Path, tmp_path: Path) -> None:
    folder = make_pictures(tmp_path / "pictures", {"low": 1})
    with pytest.raises(DatasetError, match="no recording"):
        adding.add_path(folder, "notes", "low")


def test_bring__sounds_are_not_sorted(notes: Path) -> None:
    with pytest.raises(DatasetError, match="has sounds"):
        waiting.bring(notes, "notes")


def test_add__a_recording_is_corrected_like_a_picture(notes: Path) -> None:
    sound = encode(tone(333))
    after = editing.add("notes", sound, "low", "heard.wav")
    assert after.images[0].path.startswith("corrections/low/")
    with pytest.raises(ImageError, match="not a sound in a known format"):
        editing.add("notes", b"no sound", "low", "heard.wav")
    assert library.load("notes").sound == after.sound is not None
