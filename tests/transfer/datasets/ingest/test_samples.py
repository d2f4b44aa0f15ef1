"""Samples become datasets without a network."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pictures import noisy_picture
from transfer.datasets.ingest import importer, made_sounds, samples, sounds
from transfer.datasets.ingest.samples import Sample
from transfer.datasets.sounds import recordings
from transfer.doctor import looks, shortcuts
from transfer.errors import NotFoundError


def test_import_sample__digits(workspace: Path) -> None:
    revision = importer.import_sample("digits", "digits", seed=1)
    assert revision.class_names == tuple("0123456789")
    # Two people wrote one digit in the same 64 values here and there.
    assert len(revision.images) + len(revision.passed_over) == 1797
    assert list(workspace.glob("tmp*")) == []


def test_write__gearwheels_differ_and_are_the_same_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "_COUNT", 2)
    for name in ("one", "two"):
        samples.get("gearwheels").write(tmp_path / name)
    files = sorted(f.relative_to(tmp_path / "one") for f in tmp_path.rglob("one/*/*"))
    assert [str(f.parent) for f in files[::2]] == ["broken tooth", "cracked", "good"]
    pictures = [np.asarray(Image.open(tmp_path / "one" / f)) for f in files]
    again = [np.asarray(Image.open(tmp_path / "two" / f)) for f in files]
    assert all(map(np.array_equal, pictures, again))
    assert len({p.tobytes() for p in pictures}) == 6
    assert {p.shape for p in pictures} == {(160, 160, 3)}


def test_write__the_tray_is_a_shortcut_that_the_doctor_finds(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pictures that tell nothing, and are drawn at once: what is left is the tray.
    monkeypatch.setattr(
        samples,
        "_gearwheel",
        lambda _, random: noisy_picture(
            0.5, (160, 160), seed=int(random.integers(1e9))
        ),
    )
    monkeypatch.setattr(samples, "_COUNT", 70)
    revision = importer.import_sample("tray", "tray")
    hashes = [image.sha256 for image in revision.images]
    found = shortcuts.findings(revision, looks.look(hashes, None, tmp_path))
    assert any('"cracked" can be told by the border' in one.says for one in found)


def test_write__tones_and_rhythms_are_the_same_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made_sounds, "_COUNT", 2)
    for name in ("one", "two"):
        samples.get("signals").write(tmp_path / name)
    files = sorted(f.relative_to(tmp_path / "one") for f in tmp_path.rglob("one/*/*"))
    heard = [recordings.read(tmp_path / "one" / f, 16_000) for f in files]
    again = [recordings.read(tmp_path / "two" / f, 16_000) for f in files]
    assert all(map(np.array_equal, heard, again))
    assert len({one.tobytes() for one in heard}) == 10
    assert all(0.08 < np.abs(one).max() < 0.85 for one in heard)


def test_import_sample__tones_and_rhythms(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made_sounds, "_COUNT", 4)
    revision = sounds.import_sample("signals", "signals", val=0.25)
    assert revision.kind == "sounds"
    assert revision.counts()["gallop"] == {"train": 3, "val": 1, "test": 0}
    assert list(workspace.glob("tmp*")) == []


def test_get__unknown() -> None:
    with pytest.raises(NotFoundError, match="gearwheels, digits, tray, signals"):
        samples.get("cats")


def test_public_sets__have_addresses() -> None:
    assert all(one.url.startswith("https://") for one in samples.PUBLIC_SETS)


def test_folder_of__once_for_all_who_ask_at_once(workspace: Path) -> None:
    written: list[Path] = []

    def write(folder: Path) -> None:
        written.append(folder)
        (folder / "cat").mkdir(parents=True)

    sample = Sample(name="cats", title="Cats", about="Drawn.", write=write)
    with ThreadPoolExecutor(4) as pool:
        folders = {*pool.map(samples.folder_of, [sample] * 8)}
    assert len(written) == len(folders) == 1
    assert [one.name for one in folders.pop().iterdir()] == ["cat"]
