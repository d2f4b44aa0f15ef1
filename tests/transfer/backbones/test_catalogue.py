"""The catalogue is complete, and says what Keras says."""

import importlib
from pathlib import Path
from typing import Any

import keras
import pytest

from transfer import config
from transfer.backbones import catalogue
from transfer.backbones.catalogue import BACKBONES
from transfer.errors import BackboneError

ROOT = Path(__file__).resolve().parents[3]


class Asked(Exception):
    """Ends a builder as soon as it has asked for its weights file."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What Keras' builders ask to be downloaded: file, address, hash."""
    calls = []

    def get_file(fname: str, origin: str, **options: Any) -> None:
        calls.append((fname, origin, options.get("file_hash") or ""))
        raise Asked

    # Keras' own module, for its builders call the function there, not the public one.
    module = importlib.import_module("keras.src.utils.file_utils")
    monkeypatch.setattr(module, "get_file", get_file)
    return calls


def ask(name: str) -> None:
    """Lets Keras build a backbone with ImageNet weights until it asks for the file."""
    backbone = catalogue.get(name)
    size = backbone.native_size if backbone.native_size < 300 else 224
    pixels = keras.Input((size, size, 3))
    with pytest.raises(Asked):
        getattr(keras.applications, backbone.builder)(
            include_top=False,
            weights="imagenet",
            input_tensor=pixels,
            **backbone.arguments,
        )


def assert_agrees(name: str, asked: list[tuple[Any, ...]]) -> None:
    one = catalogue.get(name)
    assert asked[-1] == (one.weights_file, one.weights_url, one.weights_hash)


def test_backbones__every_builder_of_keras_is_there() -> None:
    builders = {
        name
        for name in dir(keras.applications)
        if name[0].isupper() and callable(getattr(keras.applications, name))
    }
    ours = {"EfficientNetLite"}
    assert {one.builder for one in BACKBONES.values()} == builders | ours


def test_backbones__the_default_first() -> None:
    assert next(iter(BACKBONES)) == catalogue.DEFAULT
    assert catalogue.DEFAULT == config.TrainConfig.model_fields["backbone"].default


def test_weights_package__the_default_is_required() -> None:
    required = (ROOT / "requirements.txt").read_text().splitlines()
    assert catalogue.get(catalogue.DEFAULT).weights_package in required


def test_backbones__named_by_their_key_in_lower_case() -> None:
    for name, one in BACKBONES.items():
        assert name == one.name == name.lower()
        assert one.smallest_size <= one.native_size
        assert one.licence


def test_licence__says_where_none_is_stated() -> None:
    unstated = {
        one.family for one in BACKBONES.values() if "no licence stated" in one.licence
    }
    assert unstated == {"MobileNetV3", "EfficientNet", "EfficientNetV2", "ConvNeXt"}


@pytest.mark.parametrize(
    "name", ["mobilenet_v2", "mobilenet_v2_035", "efficientnet_b0", "resnet50_v2"]
)
@pytest.mark.filterwarnings("ignore:.*input_shape:UserWarning")
def test_weights_file__is_what_keras_asks_for(name: str, asked: list[Any]) -> None:
    ask(name)
    assert_agrees(name, asked)


@pytest.mark.slow
def test_weights_file__is_what_keras_asks_for_in_all(asked: list[Any]) -> None:
    for name in (one.name for one in BACKBONES.values() if one.weights_url):
        ask(name)
        assert_agrees(name, asked)


def test_file_size__four_bytes_a_parameter() -> None:
    assert catalogue.get("mobilenet_v2_035").file_size == 4 * 410_208


def test_get__default() -> None:
    assert catalogue.get(catalogue.DEFAULT).native_size == 224


def test_get__unknown_names_similar_ones() -> None:
    with pytest.raises(BackboneError, match="'mobilenetv2'.*among them mobilenet_v2"):
        catalogue.get("mobilenetv2")


def test_get__one_of_earlier_versions_says_what_to_do() -> None:
    with pytest.raises(BackboneError, match="starter was one of earlier") as told:
        catalogue.get("starter")
    assert "still predict, evaluate and export" in told.value.hint
    assert catalogue.title("starter") == "starter"


def test_get__unlike_anything() -> None:
    with pytest.raises(BackboneError, match=f"but {len(BACKBONES)} others"):
        catalogue.get("%%%%")


def test_all_for__backbones_for_sounds_are_not_offered_for_images() -> None:
    assert catalogue.all_for("images") is BACKBONES
    assert [*catalogue.all_for("sounds")] == [*catalogue.FOR_SOUNDS, *BACKBONES]
    assert not BACKBONES.keys() & catalogue.FOR_SOUNDS.keys()
