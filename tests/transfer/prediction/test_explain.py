"""Heat maps lie where the evidence is, and are made of what the model has learnt."""

import io

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray
from PIL import Image

from tests.pictures import noisy_picture
from transfer import workspace
from transfer.backbones import graph
from transfer.classifier import converting
from transfer.classifier import model as classifier
from transfer.classifier.runner import Runner
from transfer.datasets.decoding import Resizing
from transfer.prediction import explain

pytestmark = pytest.mark.usefixtures("workspace")


def red_or_blue() -> keras.Model:
    """A classifier whose class 0 is red and 1 is blue, by weights set by hand."""
    pixels = keras.Input((32, 32, 3))
    scaled = layers.Rescaling(1 / 255)(pixels)
    colours = layers.Conv2D(2, 4, 4, use_bias=True, activation="relu", name="colours")
    backbone = keras.Model(pixels, colours(scaled))
    kernel = np.zeros((4, 4, 3, 2), np.float32)
    kernel[:, :, 0, 0] = kernel[:, :, 2, 1] = 1 / 16
    kernel[:, :, 2, 0] = kernel[:, :, 0, 1] = -1 / 16
    colours.set_weights([kernel, np.zeros(2, np.float32)])
    head = classifier.head("linear", 2, 2, seed=0)
    head.get_layer("logits").set_weights([20 * np.eye(2), np.zeros(2)])
    return classifier.assemble(classifier.add_pooling(backbone, (1, 1)), head)


def runner_of(model: keras.Model) -> Runner:
    """What runs it without Keras."""
    record = workspace.folder("records") / "runner.npz"
    return converting.make(model, "test", record, lambda line: None)


def squares() -> NDArray[np.uint8]:
    """Grey, with a red square above on the left and a blue one below on the right."""
    pixels = np.full((32, 32, 3), 90, np.uint8)
    pixels[4:12, 4:12] = (250, 0, 0)
    pixels[20:28, 20:28] = (0, 0, 250)
    return pixels


@pytest.mark.parametrize(("label", "at"), [(0, (8, 8)), (1, (24, 24))])
def test_heat_map__lies_on_the_square_of_the_class(
    label: int, at: tuple[int, int]
) -> None:
    heat = explain.heat_map(runner_of(red_or_blue()), squares(), label)
    assert heat.shape == (32, 32) and heat.dtype == np.float32
    assert heat.min() >= 0 and heat.max() == 1
    assert heat[at] == 1
    around = np.abs(np.indices((32, 32)) - np.array(at).reshape(2, 1, 1)).max(0)
    assert heat[around <= 6].sum() > 0.95 * heat.sum()


def test_heat_map__nothing_where_nothing_speaks_for_the_class() -> None:
    blue = np.zeros((32, 32, 3), np.uint8)
    blue[..., 2] = 250
    assert not explain.heat_map(runner_of(red_or_blue()), blue, 0).any()


def ranks(values: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.argsort(np.argsort(values.ravel())).astype(np.float64)


def correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Spearman's rank correlation of two maps."""
    return float(np.corrcoef(ranks(one), ranks(other))[0, 1])


def scaled_backbone(seed: int) -> keras.Model:
    """A random MobileNetV2 whose features neither vanish nor explode."""
    model = graph.build("mobilenet_v2_035", image_size=(96, 96), seed=seed)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.gamma.assign(np.full(layer.gamma.shape, 3.0))
    return classifier.add_pooling(model, (1, 1))


def test_heat_map__random_weights_give_another_map() -> None:
    """The sanity check of Adebayo et al.: backbone, or head alone, made random."""
    picture = np.asarray(noisy_picture(0.3, (96, 96))).copy()
    picture[10:40, 50:90] = (240, 30, 30)
    backbone, other = scaled_backbone(0), scaled_backbone(1)
    head, new = (classifier.head("linear", 1280, 3, seed=s) for s in (0, 7))
    maps = [
        explain.heat_map(runner_of(classifier.assemble(*parts)), picture, 1)
        for parts in ((backbone, head), (backbone, head), (other, head))
    ]
    replaced = explain.heat_map(
        runner_of(classifier.assemble(backbone, new)), picture, 1
    )
    assert maps[0].any() and maps[2].any() and replaced.any()
    assert correlation(maps[0], maps[1]) == pytest.approx(1)
    assert abs(correlation(maps[0], maps[2])) < 0.5
    assert abs(correlation(maps[0], replaced)) < 0.5


def test_overlay__is_a_png_in_the_pictures_proportions() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (80, 40), "grey").save(buffer, "JPEG")
    heat = np.zeros((16, 16), np.float32)
    heat[:8, :8] = 1
    with Image.open(io.BytesIO(explain.overlay(buffer.getvalue(), heat))) as image:
        shown = np.asarray(image).astype(int)
        assert (image.format, image.size) == ("PNG", (80, 40))
    bright = shown[5, 10].sum() - shown[35, 70].sum()
    assert bright > 200


@pytest.mark.parametrize(
    ("resizing", "seen", "column"),
    [
        # Where the model's left edge is in a picture of 120 by 40 pixels.
        ("stretch", (slice(None), slice(0, 10)), 0),
        ("crop", (slice(None), slice(0, 10)), 40),
        ("fit", (slice(20, 40), slice(0, 10)), 0),
    ],
)
def test_overlay__goes_back_the_way_that_the_picture_came(
    resizing: Resizing, seen: tuple[slice, slice], column: int
) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (120, 40), "grey").save(buffer, "PNG")
    heat = np.zeros((60, 60), np.float32)
    heat[seen] = 1
    png = explain.overlay(buffer.getvalue(), heat, None, resizing)
    with Image.open(io.BytesIO(png)) as image:
        shown = np.asarray(image).astype(int).sum(-1)
    # It is bright from there on, from top to bottom, and ends soon after.
    bright = np.flatnonzero((shown > 500).all(0))
    assert bright[0] == column and 5 <= len(bright) <= 20
    assert (shown[:, 100:] < 330).all()


def test_overlay__a_border_has_no_evidence_and_what_was_cropped_is_dark() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (120, 40), "grey").save(buffer, "PNG")
    heat = np.zeros((60, 60), np.float32)
    heat[:15] = 1  # above the picture, or in its middle
    shown = {}
    for one in ("crop", "fit"):
        with Image.open(
            io.BytesIO(explain.overlay(buffer.getvalue(), heat, None, one))
        ) as image:
            shown[one] = np.asarray(image).astype(int).sum(-1)
    assert np.ptp(shown["fit"]) == 0
    assert (shown["crop"][:, :40] == shown["crop"][0, 0]).all()
    assert shown["crop"][5, 60] > 500 > shown["crop"][35, 60] > shown["crop"][0, 0]


@pytest.mark.parametrize("resizing", ["stretch", "crop", "fit"])
@pytest.mark.parametrize("size", [(900, 1), (1, 900), (7, 5)])
def test_overlay__of_the_oddest_shapes(
    size: tuple[int, int], resizing: Resizing
) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", size, "grey").save(buffer, "PNG")
    heat = np.ones((16, 16), np.float32)
    png = explain.overlay(buffer.getvalue(), heat, None, resizing)
    assert max(Image.open(io.BytesIO(png)).size) == min(max(size), 512)
