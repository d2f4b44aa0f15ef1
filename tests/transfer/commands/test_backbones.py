"""`python -m transfer measure`."""

import json
from typing import Any

import keras
import pytest

from transfer.__main__ import main
from transfer.features import engines


@pytest.mark.usefixtures("tiny", "workspace")
def test_measure__the_size_that_was_asked_for_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(model: keras.Model, name: str, key: str, log: Any) -> dict[str, float]:
        assert model.output_shape == (None, model.output_shape[-1])
        assert key == f"{name}-random-40x40"
        return {"keras": 7.0}

    monkeypatch.setattr(engines, "measure", measure)
    assert main(["measure", "tiny", "--image-size", "40", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "backbone": "tiny",
        "image_size": [40, 40],
        "images_per_second": {"keras": 7.0},
    }


def test_measure__a_wrong_name_is_told_before_keras_is_loaded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["measure", "nothing", "--json"]) == 2
    assert "no backbone" in capsys.readouterr().out
