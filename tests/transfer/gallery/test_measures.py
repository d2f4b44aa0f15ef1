"""Length and loudness of recordings, heard once."""

from pathlib import Path

import numpy as np
import pytest

from tests.sounds_made import encode
from transfer.datasets import library
from transfer.datasets.ingest.sounds import import_sounds
from transfer.datasets.revision import Revision
from transfer.gallery import measures


@pytest.fixture
def notes(workspace: Path, tmp_path: Path) -> Revision:
    """Recordings of full scale and of a tenth of it, half a second and one long."""
    for name, level, count in (("loud", 1.0, 4000), ("quiet", 0.1, 8000)):
        (tmp_path / name).mkdir()
        for number in range(2):
            samples = np.full(count, level, np.float32)
            samples[number::2] *= -1  # no two files alike
            content = encode(samples, kind="PCM_24")
            (tmp_path / name / f"{number}.wav").write_bytes(content)
    return import_sounds(tmp_path, "notes")


def test_of__seconds_and_decibels_of_full_scale(notes: Revision) -> None:
    found = measures.of("notes", notes.images)
    assert found["seconds"].tolist() == [0.5, 0.5, 1.0, 1.0]
    assert found["loudness"] == pytest.approx([0, 0, -20, -20], abs=0.01)


def test_of__is_kept_and_told_in_the_order_that_is_asked(notes: Revision) -> None:
    measures.of("notes", notes.images)
    library.image_path(notes.images[0].sha256).unlink()
    found = measures.of("notes", notes.images[::-1])
    assert found["seconds"].tolist() == [1.0, 1.0, 0.5, 0.5]


def test_of__nothing_of_what_cannot_be_read(notes: Revision) -> None:
    library.image_path(notes.images[0].sha256).write_bytes(b"RIFF")
    assert np.isnan(measures.of("notes", notes.images)["seconds"]).tolist() == [
        *(True, False, False, False)
    ]
