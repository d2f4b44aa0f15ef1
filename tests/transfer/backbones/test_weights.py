"""ImageNet weights are looked for under KERAS_HOME, as Keras does."""

from dataclasses import replace
from pathlib import Path

import pytest

from transfer.backbones import catalogue, weights
from transfer.errors import WeightsError

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
    assert text.endswith("there (EfficientNet-Lite0), or choose random weights.")


def test_missing__with_no_weights_at_all_names_the_package(
    keras_home: Path, without_packages: Path
) -> None:
    usual = catalogue.get(catalogue.DEFAULT)
    line = f"`{weights.pip_line(usual)}`"
    told = weights.missing(RESNET, "no network").hint
    assert told.endswith(
        f"install those of {usual.title} ({line}), or choose random weights."
    )
    assert weights.missing(usual).hint == f"Run {line}, or choose random weights."


def test_default_backbone__its_package_is_required(keras_home: Path) -> None:
    assert weights.default_backbone() == catalogue.DEFAULT == "efficientnet_lite0"


@pytest.mark.usefixtures("keras_home", "without_packages")
def test_default_backbone__with_no_weights_at_all_one_that_is_downloaded() -> None:
    assert weights.default_backbone() == catalogue.DOWNLOADED
    assert catalogue.get(catalogue.DOWNLOADED).weights_url


@pytest.mark.usefixtures("keras_home", "without_packages")
def test_default_backbone__the_best_whose_weights_are_here() -> None:
    # Each is chosen before those above it; ResNet152 is more accurate than the usual.
    for name in ("mobilenet_v2_035", "resnet152", catalogue.DEFAULT):
        path = weights.weights_file(catalogue.get(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights")
        assert weights.default_backbone() == name


def test_whereabouts__here_or_how_it_comes(
    keras_home: Path, without_packages: Path
) -> None:
    put(keras_home)
    lite = catalogue.get(catalogue.DEFAULT)
    assert weights.whereabouts(MOBILENET) == "here"
    assert weights.whereabouts(RESNET) == "to be downloaded"
    assert weights.whereabouts(lite) == "to be installed"


def test_weights_file__of_a_package_that_is_not_installed() -> None:
    entry = replace(catalogue.get(catalogue.DEFAULT), weights_package="no-such==1")
    assert weights.weights_file(entry).parent.parent.name == "no_such"
    assert not weights.is_at_hand(entry)


def test_title_and_place__marks_what_is_here(keras_home: Path) -> None:
    put(keras_home)
    here = f"{MOBILENET.title} · weights here"
    assert weights.title_and_place(MOBILENET.name) == here
    assert weights.title_and_place(RESNET.name) == "ResNet50"


def test_size__of_the_file_or_else_of_its_parameters(keras_home: Path) -> None:
    assert weights.size(MOBILENET) == 4 * MOBILENET.parameters
    put(keras_home)
    assert weights.size(MOBILENET) == len(b"weights")


def test_of_file__by_its_name() -> None:
    assert weights.of_file(Path("stick") / RESNET.weights_file) is RESNET
    with pytest.raises(WeightsError, match="Keep the name"):
        weights.of_file(Path("resnet.h5"))


def test_missing__names_weights_at_hand(keras_home: Path) -> None:
    put(keras_home)
    assert MOBILENET.title in weights.missing(RESNET, "no network").hint


def test_default_backbone__of_sounds_is_made_for_them() -> None:
    name = weights.default_backbone("sounds")
    assert name in catalogue.FOR_SOUNDS
    assert weights.is_at_hand(catalogue.get(name))
