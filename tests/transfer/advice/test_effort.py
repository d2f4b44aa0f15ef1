"""The dial, and settings as a file."""

import json

import pytest

from transfer.advice import effort
from transfer.backbones import weights
from transfer.config import TrainConfig
from transfer.errors import ConfigError


def test_position__balanced_is_the_defaults() -> None:
    config = TrainConfig(dataset="pets")
    assert effort.position(config.model_dump()) == "balanced"
    assert effort.position({}) == "balanced"


@pytest.mark.parametrize("name", effort.EFFORTS)
def test_position__is_found_again_and_valid(name: str) -> None:
    config = TrainConfig.of(dataset="pets", **effort.EFFORTS[name])
    assert effort.position(config.model_dump()) == name


def test_position__of_ones_own_is_none() -> None:
    settings = TrainConfig(dataset="pets", head_epochs=17).model_dump()
    assert effort.position(settings) is None


def test_from_file__gives_back_all_but_the_dataset() -> None:
    config = TrainConfig.of(
        dataset="pets", revision="r", freeze="last:2", augmentation="flip", seed=4
    )
    content = effort.to_file(config)
    assert "pets" not in content
    unnamed = {"dataset": "-", "revision": ""}
    assert effort.from_file(content.encode()) == config.model_copy(update=unnamed)


def test_from_file__a_dataset_in_it_is_passed_over() -> None:
    given = {"dataset": "other", "backbone": "vgg16", "seed": 3}
    wanted = TrainConfig(dataset="-", backbone="vgg16", seed=3)
    assert effort.from_file(json.dumps(given).encode()) == wanted


def test_from_file__names_no_backbone_and_takes_the_one_that_is_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(weights, "default_backbone", lambda: "vgg16")
    assert effort.from_file(b"{}").backbone == "vgg16"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"not json", "not JSON"),
        (b"[1]", "not one object"),
        (b'{"batch_size": 0, "seed": -1}', "batch_size is 0.*seed is -1"),
        (b'{"epochs": 3}', "epochs"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_from_file__says_what_is_wrong(content: bytes, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        effort.from_file(content)
