import io
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.sounds_made import encode, make_sounds, tone
from transfer.datasets import library
from transfer.datasets.ingest import hearing
from transfer.datasets.ingest.importer import import_path
from transfer.datasets.ingest.sounds import import_sounds
from transfer.datasets.sounds.windows import Cutting
from transfer.errors import ConfigError, DatasetError


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A folder with the classes low (5 sounds) and high (4)."""
    return make_sounds(tmp_path / "notes", {"low": 5, "high": 4})


@pytest.mark.usefixtures("workspace")
def test_import_sounds__class_folders_become_a_dataset_of_sounds(notes: Path) -> None:
    made = import_sounds(notes, "notes")
    read = library.load("notes")
    assert (read.kind, read.sound) == ("sounds", made.sound)
    assert made.class_names == ("high", "low")
    assert len(made.images) == 9
    assert {one.split for one in made.images} == {"train", "val"}
    assert made.sound is not None and made.sound.rate == 8000
    assert made.sound.high == 4000.0
    assert "drawn as a spoken word" in made.notes[0]


@pytest.mark.usefixtures("workspace")
def test_import_sounds__split_folders_are_kept(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "val", "test")):
        for name, hertz in (("a", 300), ("b", 600)):
            folder = tmp_path / "sets" / split / name
            folder.mkdir(parents=True)
            (folder / "one.wav").write_bytes(encode(tone(hertz, seed=number)))
    made = import_sounds(tmp_path / "sets", "sets")
    assert made.split_source == "given"
    assert [one.split for one in made.images] == [
        one.path.split("/")[0] for one in made.images
    ]


@pytest.mark.usefixtures("workspace")
def test_import_sounds__a_table_says_the_classes(tmp_path: Path) -> None:
    folder = tmp_path / "table"
    folder.mkdir()
    lines = ["file_name,label"]
    for number in range(6):
        (folder / f"{number}.wav").write_bytes(encode(tone(300 + 50 * number)))
        lines.append(f"{number}.wav,{'odd' if number % 2 else 'even'}")
    (folder / "labels.csv").write_text("\n".join(lines))
    assert import_sounds(folder, "table").class_names == ("even", "odd")


def test_recording_of__only_what_is_cut() -> None:
    cut = ["a/b@home.wav@00012.50.flac", "a/b@home.wav@00012.50-0a1b2c3d.flac"]
    for path in [*cut, "a/b@home.wav"]:
        assert hearing.recording_of(path) == "a/b@home.wav"


@pytest.mark.usefixtures("workspace")
def test_import_sounds__windows_of_a_recording_stay_together(tmp_path: Path) -> None:
    folder = make_sounds(tmp_path / "long", {"a": 5, "b": 5}, seconds=3.0)
    made = import_sounds(folder, "long", cutting=Cutting(window=1.0, overlap=0.5))
    splits = defaultdict[str, set[str]](set)
    for one in made.images:
        splits[hearing.recording_of(one.path)].add(one.split)
    assert len(splits) == 10
    assert {len(of) for of in splits.values()} == {1}
    assert len(made.images) == 50  # 0, 0.5, 1, 1.5 and 2 seconds in
    assert made.sound is not None and made.sound.seconds == 1.0
    path = library.image_path(made.images[0].sha256)
    assert soundfile.info(str(path)).duration == 1.0


@pytest.mark.usefixtures("workspace")
def test_import_sounds__what_is_not_cut_overlaps_nothing(tmp_path: Path) -> None:
    folder = make_sounds(tmp_path / "whole", {"a": 2, "b": 2})
    made = import_sounds(folder, "whole", cutting=Cutting(overlap=0.5))
    assert made.cutting == Cutting() and len(made.images) == 4


@pytest.mark.usefixtures("workspace")
def test_import_sounds__of_one_recording_val_has_nothing(tmp_path: Path) -> None:
    folder = make_sounds(tmp_path / "one", {"a": 1, "b": 5}, seconds=3.0)
    made = import_sounds(folder, "one", cutting=Cutting(window=1.0))
    assert any("Of a there is one recording only" in note for note in made.notes)


@pytest.mark.usefixtures("workspace")
def test_import_sounds__what_is_wrong_is_named(notes: Path) -> None:
    silence = np.zeros(4000, np.float32)
    (notes / "low" / "silent.wav").write_bytes(encode(silence))
    loud = np.sign(tone(500)) * np.float32(1)
    (notes / "low" / "loud.wav").write_bytes(encode(loud, kind="FLOAT"))
    (notes / "low" / "click.wav").write_bytes(encode(tone(400, 0.01)))
    (notes / "low" / "nothing.wav").write_bytes(encode(silence[:0]))
    (notes / "low" / "empty.wav").write_bytes(b"")
    (notes / "low" / "phone.m4a").write_bytes(b"\0\0\0 ftypM4A " + bytes(50))
    (notes / "low" / "speech.flac").write_bytes(encode(tone(350), form="FLAC")[:300])
    (notes / "low" / "long.wav").write_bytes(encode(np.tile(silence, 121)))
    (notes / "low" / "notes.txt").write_text("no sound")
    made = import_sounds(notes, "notes")
    reasons = {Path(one.path).name: one.reason for one in made.passed_over}
    assert "too short: 10.0 milliseconds" in reasons["click.wav"]
    assert "no samples" in reasons["nothing.wav"]
    assert "empty" in reasons["empty.wav"]
    assert "M4A" in reasons["phone.m4a"] and "Convert it" in reasons["phone.m4a"]
    assert "damaged or cut off" in reasons["speech.flac"]
    assert "too long" in reasons["long.wav"]
    assert reasons["notes.txt"] == "Not a sound file."
    assert any("silent" in note and "silent.wav" in note for note in made.notes)
    assert any("overdriven" in note and "loud.wav" in note for note in made.notes)
    assert made.flat == ("low/silent.wav",)


@pytest.mark.usefixtures("workspace")
def test_import_sounds__a_folder_of_pictures_speaks_of_recordings(
    animals: Path,
) -> None:
    with pytest.raises(DatasetError, match="There are no recordings in it") as raised:
        import_sounds(animals, "animals")
    assert "picture" not in str(raised.value)


@pytest.mark.usefixtures("workspace")
def test_import_sounds__every_setting_out_of_its_limits_is_named(notes: Path) -> None:
    with pytest.raises(ConfigError, match="window is 0.01.*overlap is 1.*preset"):
        import_sounds(notes, "notes", cutting=Cutting(0.01, 1.0), preset="none")


@pytest.mark.usefixtures("workspace")
def test_import_path__a_folder_of_sounds_has_no_pictures(notes: Path) -> None:
    with pytest.raises(DatasetError, match="no pictures"):
        import_path(notes, "notes")


@pytest.mark.usefixtures("workspace")
def test_import_sounds__other_rates_and_channels_fit_together(notes: Path) -> None:
    stereo = np.stack([tone(300, rate=44100), tone(310, rate=44100)], axis=1)
    buffer = io.BytesIO()
    soundfile.write(buffer, stereo, 44100, format="OGG")
    (notes / "low" / "stereo.ogg").write_bytes(buffer.getvalue())
    made = import_sounds(notes, "notes")
    assert len(made.images) == 10
    assert made.sound is not None and made.sound.rate == 8000
    assert any("2 rates, from 8,000 to 44,100 Hz" in note for note in made.notes)
