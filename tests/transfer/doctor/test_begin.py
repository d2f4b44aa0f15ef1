"""The doctor begins with what there is to look at."""

from types import SimpleNamespace
from typing import Any

import pytest

from transfer.datasets.revision import Image, Revision
from transfer.datasets.sounds import presets
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
