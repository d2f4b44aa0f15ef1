"""ImageNet weights are looked for under KERAS_HOME, as Keras does."""

from pathlib import Path

import pytest

from transfer.backbones import catalogue, weights

MOBILENET = catalogue.get("mobilenet_v2_035")
RESNET = catalogue.get("resnet50")


def put(home: Path) -> None:
    (home / "models").mkdir(parents=True)
    (home / "models" / MOBILENET.weights_file).write_bytes(b"weights")


def test_keras_home__default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_HOME", raising=False)
    assert weights.keras_home() == Path.home() / ".keras"


def test_weights_file__below_keras_home(keras_home: Path) -> None:
    path = weights.weights_file(MOBILENET)
    assert path == keras_home / "models" / MOBILENET.weights_file


def test_is_at_hand__only_where_the_file_lies(keras_home: Path) -> None:
    assert not weights.is_at_hand(MOBILENET)
    put(keras_home)
    assert weights.is_at_hand(MOBILENET)
    assert not weights.is_at_hand(RESNET)


def test_missing__names_file_folder_and_reason(keras_home: Path) -> None:
    text = str(weights.missing(RESNET, "no network"))
    assert RESNET.weights_file in text
    assert str(keras_home / "models") in text
    assert "no network" in text
    assert text.endswith("or choose random weights.")


def test_missing__names_weights_at_hand(keras_home: Path) -> None:
    put(keras_home)
    assert "mobilenet_v2_035" in weights.missing(RESNET, "no network").hint
