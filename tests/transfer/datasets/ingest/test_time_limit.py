"""No picture holds up an import for ever."""

from pathlib import Path

import pytest

from tests.pictures import make_pictures
from transfer.datasets.ingest import importer, time_limit


def test_import_path__a_picture_that_takes_too_long_is_passed_over(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_pictures(tmp_path / "pets", {"cat": 2, "dog": 2})
    # Its numbers are words, which Pillow reads one by one: a second for 500,000.
    (folder / "cat" / "endless.ppm").write_text("P3 400 400 255\n" + "7 " * 480_000)
    monkeypatch.setattr(time_limit, "SECONDS", 0.05)
    made = importer.import_path(folder, "pets")
    assert len(made.images) == 4
    (one,) = made.passed_over
    assert one.path.endswith("endless.ppm")
    assert "more than 0.05 seconds" in one.reason
