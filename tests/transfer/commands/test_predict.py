"""`python -m transfer predict` on folders, with an inference process that is a fake."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.pictures import make_pictures
from tests.sounds_made import encode, tone
from transfer.__main__ import main
from transfer.config import TrainConfig
from transfer.datasets import renderings
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.errors import ImageError
from transfer.prediction.client import InferenceProcess, Ranking
from transfer.store.runs import Store


def test_predict__a_folder_with_a_broken_picture_and_a_table(
    workspace: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def predict_each(
        self: InferenceProcess, run: str, pictures: list[Path], top: int | None
    ) -> list[Ranking | ImageError]:
        answer: Ranking = [("cat", 0.75), ("dog", 0.25)]
        return [ImageError("Broken.") if "_1" in p.name else answer for p in pictures]

    monkeypatch.setattr(InferenceProcess, "predict_each", predict_each)
    store = Store()
    run = store.create(TrainConfig(dataset="pets"), "mine").id
    store.amend(run, class_names=["cat", "dog"])
    pets = make_pictures(tmp_path / "pets", {"cat": 2, "dog": 1})
    table = tmp_path / "table.csv"
    assert main(["predict", run, str(pets), "--csv", str(table), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    broken = str(pets / "cat" / "cat_1.png")
    assert [one["path"] for one in found if "error" in one] == [broken]
    assert found[0]["predictions"][0] == {"class_name": "cat", "probability": 0.75}
    head, first, *others = table.read_text("utf-8-sig").splitlines()
    assert head.endswith("error,probability of cat,probability of dog")
    assert first.endswith("cat_0.png,cat,cat,0.750000,,0.750000,0.250000")
    assert len(others) == 2
    assert main(["predict", run, str(pets), "--top", "1", "--json"]) == 0
    assert [
        len(x.get("predictions", ())) for x in json.loads(capsys.readouterr().out)
    ] == [1, 0, 1]
    assert main(["predict", run, broken, "--json"]) == 1
    assert "Broken" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_predict__a_long_recording_has_segments(
    workspace: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def predict_each(
        self: InferenceProcess, run: str, sounds: list[Path | bytes]
    ) -> list[Ranking | ImageError]:
        drawn = [renderings.decode(sound, (8, 8), how) for sound in sounds]
        is_loud = [bool(pixels.any()) for pixels in drawn]
        return [[("tone", 0.9 * x + 0.05), ("quiet", 0.95 - 0.9 * x)] for x in is_loud]

    monkeypatch.setattr(InferenceProcess, "predict_each", predict_each)
    how = Spectrogram(8000, 1.0, 0.025, 0.01, 64, 50.0, 4000.0, 60.0)
    store = Store()
    run = store.create(TrainConfig(dataset="notes"), "mine").id
    store.amend(run, sound=how)
    silence = np.zeros(8000 * 4, np.float32)
    path = tmp_path / "long.wav"
    path.write_bytes(encode(np.concatenate([silence, tone(400, 3.0), silence])))
    table = tmp_path / "table.csv"
    assert main(["predict", run, str(path), "--csv", str(table), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert [one["class_name"] for one in found["segments"]] == [
        "quiet",
        "tone",
        "quiet",
    ]
    middle = found["segments"][1]
    assert (middle["start"], middle["end"]) == (3.5, 7.5)
    assert table.read_text("utf-8-sig").splitlines()[0].startswith("file,start,end,cla")
    assert len(table.read_text().splitlines()) == 4
