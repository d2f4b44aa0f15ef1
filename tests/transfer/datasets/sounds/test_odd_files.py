import resource
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.sounds_made import encode
from tests.transfer.datasets.sounds import odd_files
from tests.transfer.datasets.sounds.odd_files import HEARD, REFUSED
from transfer.datasets.sounds import drawing, recordings, windows
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.errors import SoundError

HOW = Spectrogram(8000, 1.0, 0.025, 0.01, 64, 50.0, 4000.0, 80.0)
EVENED = HOW._replace(finer=1, trims=30.0, evens=1)
KINDS = list(odd_files.kinds())


def test_odd_files__are_of_sixty_kinds() -> None:
    assert len({name for name, _, _ in KINDS}) == len(KINDS) >= 60


@pytest.mark.parametrize(
    ("content", "fate"), [one[1:] for one in KINDS], ids=[one[0] for one in KINDS]
)
def test_draw__an_odd_file_is_heard_or_named(content: bytes, fate: str) -> None:
    try:
        drawn = [drawing.draw(content, (16, 16), how) for how in (HOW, EVENED)]
    except SoundError as error:
        assert fate != HEARD, error
        assert error.message.endswith(".")
    else:
        assert fate != REFUSED
        assert {one.shape for one in drawn} == {(16, 16, 3)}


def test_open_recording__the_ending_of_a_file_says_nothing(tmp_path: Path) -> None:
    for ending in ("raw", "mp3", "txt", ""):
        path = tmp_path / f"note.{ending}"
        path.write_bytes(encode(np.zeros(800, np.float32), form="FLAC"))
        with recordings.open_recording(path) as file:
            assert (file.format, recordings.seconds(file)) == ("FLAC", 0.1)


def test_open_recording__a_folder_is_no_sound(tmp_path: Path) -> None:
    with (
        pytest.raises(SoundError, match="is a folder"),
        recordings.open_recording(tmp_path),
    ):
        pass
    with (
        pytest.raises(SoundError, match="does not exist"),
        recordings.open_recording(tmp_path / "none.wav"),
    ):
        pass


def test_cut__three_hours_take_no_more_memory_than_a_minute(tmp_path: Path) -> None:
    path = tmp_path / "long.flac"  # of silence it has 200 KB
    with soundfile.SoundFile(str(path), "w", 8000, 1, format="FLAC") as file:
        for _ in range(180):
            file.write(np.zeros(60 * 8000, np.int16))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with recordings.open_recording(path) as file:
        count = sum(len(one.samples) == 80_000 for one in windows.cut(file, 10.0))
    assert count == 1080
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
