"""Real Keras models: built, read, taken apart."""

import random
from pathlib import Path
from typing import Any

import keras
import numpy as np
import openvino
import pytest

from tests.transfer.backbones.conftest import built
from transfer.backbones import catalogue, graph, structures
from transfer.errors import BackboneError

SMALL = [
    "mobilenet_v2_035",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "efficientnet_lite0",
    "densenet121",
    "nasnet_mobile",
    "resnet50",
    "convnext_tiny",
    "xception",
]


def pictures(model: keras.Model) -> Any:
    shape = (2, *model.input_shape[1:])
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


def preprocessed(name: str, images: Any) -> Any:
    """Pixels as Keras' own function prepares them."""
    module = {
        "resnet50": keras.applications.resnet,
        "densenet121": keras.applications.densenet,
        "xception": keras.applications.xception,
    }[name]
    return module.preprocess_input(images.copy())


def assert_well_formed(name: str) -> None:
    """What every structure must be."""
    model, structure = built(name)
    names = [layer.name for layer in structure.layers]
    assert len(set(names)) == len(names)
    assert structure.layers[0].name == structure.cuts[0].layer == "pixels"
    assert structure.cuts[-1].index == len(names) - 1
    assert structure.cuts[-1].shape == model.output_shape[1:]
    assert all(names[cut.index] == cut.layer for cut in structure.cuts)
    runs = [a.block for a, b in _pairs(structure.layers) if not b or a.block != b.block]
    assert runs == list(structure.blocks)
    counted = sum(one.parameters + one.statistics for one in structure.layers)
    assert counted == model.count_params() == catalogue.get(name).parameters
    trains = sum(np.prod(v.shape) for v in model.trainable_variables)
    assert sum(one.parameters for one in structure.layers) == trains


def _pairs(items: Any) -> Any:
    return zip(items, [*items[1:], None], strict=True)


@pytest.mark.parametrize("name", SMALL)
def test_structure__well_formed(name: str) -> None:
    assert_well_formed(name)


@pytest.mark.parametrize(
    ("name", "count", "first", "last"),
    [
        ("mobilenet_v2_035", 19, "stem", "top"),
        ("mobilenet_v3_small", 13, "stem", "top"),
        ("efficientnet_b0", 18, "stem", "top"),
        ("efficientnet_lite0", 18, "stem", "top"),
        ("densenet121", 9, "stem", "top"),
        ("nasnet_mobile", 17, "stem", "cell_12"),
        ("resnet50", 17, "stem", "conv5_block3"),
        ("convnext_tiny", 23, "stem", "top"),
        ("xception", 14, "stem", "block14"),
    ],
)
def test_structure__blocks(name: str, count: int, first: str, last: str) -> None:
    names = list(built(name)[1].blocks)
    assert (len(names), names[0], names[-1]) == (count, first, last)


@pytest.mark.parametrize("name", SMALL)
def test_structure__residual_blocks_are_whole(name: str) -> None:
    """Except in NASNet, whose cells read the two before, each block ends at a cut."""
    structure = built(name)[1]
    cuts = {cut.layer for cut in structure.cuts}
    ends = [layers[-1].name for layers in structure.blocks.values()]
    if name != "nasnet_mobile":
        assert set(ends) <= cuts


def test_structure__additions_of_convnext_are_operations() -> None:
    layers = {one.name: one for one in built("convnext_tiny")[1].layers}
    assert (layers["add"].kind, layers["add"].block) == ("Add", "stage_0_block_0")
    assert "convnext_tiny_stem_conv" in layers


def test_structure__counts_do_not_change_when_frozen() -> None:
    model = graph.build("mobilenet_v2_035", image_size=(32, 32))
    free = graph.structure(model, "mobilenet_v2_035")
    model.trainable = False
    assert graph.structure(model, "mobilenet_v2_035") == free


@pytest.mark.parametrize("name", SMALL)
def test_prefix_and_suffix__together_the_whole(name: str) -> None:
    model, structure = built(name)
    images = pictures(model)
    whole = np.asarray(model(images, training=False))
    cuts = structure.cuts
    for cut in (cuts[0], cuts[len(cuts) // 2], cuts[-2], cuts[-1]):
        below = graph.prefix(model, cut.layer)(images, training=False)
        assert tuple(below.shape[1:]) == cut.shape
        above = graph.suffix(model, cut.layer)(below, training=False)
        np.testing.assert_allclose(above, whole, atol=1e-5 * np.abs(whole).max())


def test_suffix__shares_weights_and_leaves_the_model_savable(tmp_path: Path) -> None:
    model = graph.build("mobilenet_v2_035", image_size=(32, 32))
    above = graph.suffix(model, "block_8_add")
    assert above.get_layer("Conv_1") is model.get_layer("Conv_1")
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert graph.fingerprint(again) == graph.fingerprint(model)


def test_suffix__inside_a_residual_block() -> None:
    model, _ = built("mobilenet_v2_035")
    with pytest.raises(BackboneError, match="cannot be cut at block_2_expand"):
        graph.suffix(model, "block_2_expand")


def test_prefix__unknown_layer() -> None:
    with pytest.raises(BackboneError, match="no layer 'block_99'"):
        graph.prefix(built("mobilenet_v2_035")[0], "block_99")


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "xception"])
def test_build__prepares_pixels_as_keras_does(name: str) -> None:
    model, _ = built(name)
    theirs = getattr(keras.applications, catalogue.get(name).builder)(
        include_top=False, weights=None, input_shape=model.input_shape[1:]
    )
    theirs.set_weights(model.get_weights())
    images = pictures(model)
    expected = np.asarray(theirs(preprocessed(name, images)))
    np.testing.assert_allclose(
        model(images), expected, atol=1e-5 * np.abs(expected).max()
    )


@pytest.mark.parametrize("name", ["resnet50", "convnext_tiny"])
def test_build__saves_and_loads_without_our_code(name: str, tmp_path: Path) -> None:
    model, _ = built(name)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    images = pictures(model)
    expected = model(images)
    np.testing.assert_allclose(
        again(images), expected, atol=1e-6 * np.abs(expected).max()
    )


@pytest.mark.parametrize("name", ["mobilenet_v2_035", "resnet50"])
def test_build__runs_in_openvino(name: str, tmp_path: Path) -> None:
    model, _ = built(name)
    path = str(tmp_path / "model.xml")
    model.export(path, format="openvino", verbose=False)
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(path, "CPU", exact)
    images = pictures(model)
    expected = np.asarray(model(images, training=False))
    np.testing.assert_allclose(
        compiled(images)[0], expected, atol=1e-4 * np.abs(expected).max()
    )


def test_build__names_do_not_depend_on_what_was_built_before() -> None:
    def names() -> list[str]:
        model = graph.build("xception", image_size=(71, 71))
        return [layer.name for layer in model.layers] + [v.path for v in model.weights]

    first = names()
    keras.layers.Conv2D(1, 1)
    assert names() == first
    assert "conv2d" in first


def test_build__seed_decides_random_weights() -> None:
    def weights(seed: int) -> str:
        model = graph.build("mobilenet_v2_035", image_size=(32, 32), seed=seed)
        return graph.fingerprint(model)

    assert weights(1) == weights(1) != weights(2)


def test_build__leaves_randomness_of_others_alone() -> None:
    random.seed(3)
    expected = random.random()  # noqa: S311
    random.seed(3)
    graph.build("mobilenet_v2_035", image_size=(32, 32))
    assert random.random() == expected  # noqa: S311


def test_build__native_size_by_default() -> None:
    model = graph.build("mobilenet_v2_035")
    assert model.input_shape == (None, 224, 224, 3)
    assert model.output_shape == (None, 7, 7, 1280)


def test_build__too_small_names_the_smallest() -> None:
    with pytest.raises(BackboneError, match="64 x 80 pixels: the smallest.* 75 x 75"):
        graph.build("inception_v3", image_size=(64, 80))


def test_fingerprint__changes_with_a_single_weight() -> None:
    model = graph.build("mobilenet_v2_035", image_size=(32, 32))
    before = graph.fingerprint(model)
    bias = model.get_layer("Conv_1_bn").beta
    bias.assign(np.eye(1, bias.shape[0])[0])
    assert graph.fingerprint(model) != before


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["efficientnet_v2_s", "resnet101_v2", "inception_resnet_v2", "vgg19"]
)
def test_structure__well_formed_in_larger_ones(name: str) -> None:
    assert_well_formed(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(catalogue.BACKBONES))
def test_build__smallest_size(name: str) -> None:
    size = catalogue.get(name).smallest_size
    model = graph.build(name, image_size=(size, size))
    assert all(length > 0 for length in model.output_shape[1:])


@pytest.mark.parametrize("name", list(catalogue.FOR_SOUNDS))
def test_build__the_beginning_of_a_network_is_that_of_the_whole(name: str) -> None:
    entry = catalogue.get(name)
    beginning = graph.build(name, weights="imagenet", image_size=(64, 64))
    whole = graph.build(entry.whole, weights="imagenet", image_size=(64, 64))
    assert graph.structure(beginning, name) == structures.read(name, 64)
    assert beginning.count_params() == entry.parameters
    last = beginning.layers[-1].name
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3))
    same = graph.prefix(whole, last)(pixels)
    assert np.array_equal(beginning(pixels), same)
