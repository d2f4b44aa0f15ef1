"""`python -m transfer predict` on folders, with an inference process that is a fake."""

import json
from pathlib import Path

import pytest

from tests.pictures import make_pictures
from transfer.__main__ import main
from transfer.config import TrainConfig
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
    run = Store().create(TrainConfig(dataset="pets"), "mine").id
    pets = make_pictures(tmp_path / "pets", {"cat": 2, "dog": 1})
    table = tmp_path / "table.csv"
    assert main(["predict", run, str(pets), "--csv", str(table), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    broken = str(pets / "cat" / "cat_1.png")
    assert [one["path"] for one in found if "error" in one] == [broken]
    assert found[0]["predictions"][0] == {"class_name": "cat", "probability": 0.75}
    assert len(table.read_text().splitlines()) == 4
    assert main(["predict", run, broken, "--json"]) == 1
    assert "Broken" in json.loads(capsys.readouterr().out)["error"]["message"]
