"""Pretrained weights brought into a model."""

from pathlib import Path

import keras

from transfer.backbones import download, torch_file
from transfer.backbones.catalogue import Backbone
from transfer.errors import WeightsError

_ENDINGS = (".h5", ".keras")


def load(model: keras.Model, backbone: Backbone, source: str) -> None:
    """Fills a model with its pretrained weights or with those of a file.

    Args:
        model: What the builder of `backbone` made, without classification layers.
        backbone: Its entry in the catalogue.
        source: `imagenet`, or the path of an `.h5`, `.weights.h5` or `.keras` file.

    Raises:
        WeightsError: The weights are missing, broken or of another model.
    """
    is_own = source == "imagenet"
    path = download.fetch(backbone) if is_own else _named_file(source)
    try:
        if path.suffix == ".pth":
            torch_file.load(model, path)
        else:
            model.load_weights(path)
    except Exception as error:  # h5py, Keras and zipfile each raise their own
        raise WeightsError(
            f"{path} does not hold weights that fit {backbone.name}: {_first(error)}.",
            f"Expected a weights file of {backbone.title} without its classification "
            "layers, as Keras saves it.",
        ) from error


def _named_file(source: str) -> Path:
    path = Path(source).expanduser()
    if not path.is_file():
        raise WeightsError(
            f"There is no weights file {path}.",
            "Name an existing file, `imagenet` or `random`.",
        )
    if path.suffix not in _ENDINGS:
        raise WeightsError(
            f"{path} is no weights file: expected a name ending in .h5, .weights.h5 "
            "or .keras."
        )
    return path


def _first(error: Exception) -> str:
    """The first line of an error's text, without its full stop."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
