"""The doctor begins with what there is to look at."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.sounds_made import make_sounds
from transfer.datasets import editing
from transfer.datasets.ingest.sounds import import_sounds
from transfer.datasets.revision import Image, Revision
from transfer.datasets.sounds import presets
from transfer.datasets.sounds.windows import Cutting
from transfer.doctor import begin, looks


def test_examine__recordings_are_not_looked_at_as_pictures(
    workspace: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def examine(revision: Revision, looked: Any, _: Any, seeing: Any, *__: Any) -> Any:
        asked.extend([looked, seeing])
        return []

    monkeypatch.setattr(
        begin, "import_doctor", lambda: SimpleNamespace(examine=examine)
    )
    monkeypatch.setattr(looks, "looking", lambda *_: pytest.fail("it was looked at"))
    one = Image(sha256="0" * 64, path="a/1.wav", label=0, split="train")
    revision = Revision(
        dataset="heard",
        id="r",
        class_names=("a",),
        images=(one,),
        passed_over=(),
        split_source="given",
        val=0.0,
        test=0.0,
        seed=0,
        created_at=0.0,
        sound=presets.WORD,
    )
    assert begin.examine(revision) == []
    assert asked == [None, ("efficientnet_lite0_sound", "imagenet", "stretch")]


@pytest.mark.usefixtures("tiny")
def test_examine__of_sounds_it_speaks_of_recordings(
    workspace: Path, tmp_path: Path
) -> None:
    """Torn groups of a table, small classes, and what the import passed over."""
    folder = make_sounds(tmp_path / "n", {"low": 6, "high": 6})
    shutil.copy(folder / "low" / "low_0.wav", folder / "low" / "twice.wav")
    (folder / "low" / "broken.wav").write_bytes(b"RIFF")
    revision = import_sounds(folder, "notes", val=0.3)
    table = tmp_path / "voices.csv"
    rows = [f"{one.path},{one.path[-5]}" for one in revision.images]
    table.write_text("\n".join(["file,voice", *rows]))
    found = begin.examine(revision, "tiny", "random", table=(table, "voice"))
    kinds = {one.kind for one in found}
    assert {"copy", "unreadable", "group", "few"} <= kinds
    assert not kinds & {"blurred", "dark", "tiny", "constant", "shortcut"}
    says = " ".join(one.says for one in found)
    assert "groups of recordings that belong together, by the table" in says
    assert "recordings to learn from" in says
    assert not re.search("(?i)image|picture|pixel", says)


@pytest.mark.usefixtures("tiny")
def test_examine__windows_that_were_torn_apart(workspace: Path, tmp_path: Path) -> None:
    folder = make_sounds(tmp_path / "n", {"low": 4, "high": 4}, seconds=3.0)
    made = import_sounds(folder, "notes", cutting=Cutting(1.0))
    one = next(image for image in made.images if image.split == "train")
    moved = editing.move_to_split("notes", [one.sha256], "val")
    found = begin.examine(moved, "tiny", "random")
    torn = [one.says for one in found if one.kind == "group"]
    assert any("by what they were cut from, 3 recordings in all" in x for x in torn)
