"""A backbone and a head as one model: pixels in, probabilities out."""

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import keras
from keras import layers

from transfer.backbones import catalogue, graph
from transfer.classifier import file_check
from transfer.errors import WeightsError

Head = Literal["linear", "dense1024"]

#: Logits of features: `(features, training) -> (batch, num_classes)`.
Forward = Callable[[Any, bool], Any]


def pooled_backbone(
    name: str, weights: str = "random", image_size: tuple[int, int] | None = None
) -> keras.Model:
    """A backbone of the catalogue with pooling in its own cells on top.

    Args:
        name: As in `graph.build`.
        weights: As there.
        image_size: As there.

    Returns:
        As `add_pooling`.

    Raises:
        BackboneError: As there.
        WeightsError: As there.
    """
    built = graph.build(name, weights=weights, image_size=image_size)
    return add_pooling(built, catalogue.get(name).cells)


def add_pooling(backbone: keras.Model, cells: tuple[int, int]) -> keras.Model:
    """The backbone with average pooling on top.

    Args:
        backbone: Model from pixels to a feature map `(batch, rows, columns, channels)`.
        cells: See `Backbone.cells`.

    Returns:
        A model from pixels to features `(batch, channels)`, float32; of more than one
        cell `(batch, cells * channels)`.
    """
    parted = backbone.output if cells == (1, 1) else _part(backbone.output, cells)
    features = layers.GlobalAveragePooling2D(name="pooling")(parted)
    return keras.Model(backbone.input, features, name="pooled_backbone")


def _part(features: Any, cells: tuple[int, int]) -> Any:
    """The feature map with channels of their own for each cell, which are 0 elsewhere.

    Pooled as ever they are the means of the cells, and a heat map finds each in its
    place. Where there are fewer rows or columns than cells, each is one.
    """
    height, width = features.shape[1:3]
    edges = [_edges(*one) for one in zip((height, width), cells, strict=True)]
    count = math.prod(len(one) for one in edges)
    # As large as the features of one cell for all, so that a head learns as fast.
    features = layers.Rescaling(float(count), name="cells_scaling")(features)
    parts = []
    for number, margins in enumerate(itertools.product(*edges)):
        inside = layers.Cropping2D(margins, name=f"cell_{number}")(features)
        parts.append(layers.ZeroPadding2D(margins, name=f"around_{number}")(inside))
    return layers.Concatenate(name="cells")(parts)


def _edges(length: int, count: int) -> list[tuple[int, int]]:
    """How much lies before and behind each of the parts of a length."""
    stops = [round(length * at / count) for at in range(min(count, length) + 1)]
    if count > length:
        stops = list(range(length + 1))
    return [(a, length - b) for a, b in itertools.pairwise(stops)]


def head(kind: Head, channels: int, num_classes: int, seed: int) -> keras.Model:
    """What is trained on pooled features, up to the logits.

    Args:
        kind: `linear` or `dense1024`, see `TrainConfig.head`.
        channels: Number of pooled features.
        num_classes: Number of classes.
        seed: Seed of the first weights and of dropout.

    Returns:
        A model from features `(batch, channels)` to logits `(batch, num_classes)`.
    """
    features = keras.Input((channels,), name="features")
    if kind == "linear":
        hidden = layers.Dropout(0.2, seed=seed, name="dropout")(features)
    else:
        hidden = layers.Dense(
            1024, "relu", kernel_initializer=_glorot(seed + 1), name="hidden"
        )(features)
    # Their softmax is no part of the head: the loss from logits is the exact one.
    logits = layers.Dense(num_classes, kernel_initializer=_glorot(seed), name="logits")
    return keras.Model(features, logits(hidden), name="head")


def _glorot(seed: int) -> keras.Initializer:
    return keras.initializers.GlorotUniform(seed)


def forward(suffix: keras.Model, head: keras.Model) -> Forward:
    """What trains in the fine-tuning phase: from features at the cut to logits.

    The suffix runs in inference mode always: BatchNorm keeps the source's statistics,
    which a few hundred images could only spoil. The two are called one by one because
    a functional model of both would hand its own `training` on to the suffix.
    """

    def logits(features: Any, training: bool) -> Any:
        return head(suffix(features, training=False), training=training)

    return logits


def assemble(pooled_backbone: keras.Model, head: keras.Model) -> keras.Model:
    """The whole classifier: pixels `(batch, height, width, 3)` in `[0, 255]` to
    float32 probabilities `(batch, num_classes)` whose rows sum to 1.
    """
    pixels = keras.Input(pooled_backbone.input_shape[1:], name="image")
    # BatchNorm keeps the statistics of its pretraining, for whoever trains it on too.
    features = pooled_backbone(pixels, training=False)
    return keras.Model(
        pixels,
        layers.Softmax(name="probabilities", dtype="float32")(head(features)),
        name="classifier",
    )


def load(
    path: Path, num_classes: int, image_size: tuple[int, int] | None = None
) -> keras.Model:
    """The classifier that a run saved, once its file is seen to be one.

    Args:
        path: The run's `model.keras`.
        num_classes: Number of probabilities that it must give.
        image_size: `(height, width)` in pixels that it must take; any if None.

    Raises:
        RunError: The file is not such a model; none of it was executed.
    """
    file_check.check(path, image_size)
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras lets through whatever its layers raise
        reason = str(error).strip().splitlines()[0][:300]
        raise file_check.refusal(f"Keras cannot read it ({reason})") from error
    if model.output_shape != (None, num_classes):
        raise file_check.refusal(
            f"it gives {model.output_shape[1:]} values, but the run has {num_classes} "
            "classes"
        )
    return model


def take_weights(path: Path, pooled_backbone: keras.Model, head: keras.Model) -> None:
    """Sets backbone and head to those of a saved classifier.

    Args:
        path: A `model.keras` that `assemble` made of the same backbone and head.
        pooled_backbone: As in `add_pooling`.
        head: As in `head`.

    Raises:
        RunError: There is no such file, or it is not a classifier of these classes.
        WeightsError: Its weights have other shapes.
    """
    model = load(path, head.output_shape[-1])
    try:
        # Both by their names: a saved classifier is these two and a softmax.
        for part in (pooled_backbone, head):
            part.set_weights(model.get_layer(part.name).get_weights())
    except ValueError as error:
        raise WeightsError(
            f"The model to start from cannot be used: {str(error).splitlines()[0]}",
            "It must have the same backbone, head and classes.",
        ) from error
