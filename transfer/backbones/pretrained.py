"""Pretrained weights brought into a model: fetched, checked, loaded."""

import contextlib
import hashlib
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from transfer import workspace
from transfer.backbones import weights
from transfer.backbones.catalogue import Backbone
from transfer.errors import WeightsError

#: Seconds that the network may be silent before a download is given up.
_PATIENCE = 15

_CLASSES = "imagenet_class_index.json"
_CLASSES_URL = f"https://storage.googleapis.com/download.tensorflow.org/data/{_CLASSES}"

_ENDINGS = (".h5", ".keras")


def load(model: keras.Model, backbone: Backbone, source: str) -> None:
    """Fills a model with its pretrained weights or with those of a file.

    Args:
        model: What the builder of `backbone` made, without classification layers.
        backbone: Its entry in the catalogue.
        source: `imagenet`, `starter`, or the path of an `.h5`, `.weights.h5` or
            `.keras` file.

    Raises:
        WeightsError: The weights are missing, broken or of another model.
    """
    path = (
        _file_at_hand(backbone)
        if source == backbone.pretrained
        else _named_file(source)
    )
    try:
        if path.suffix == ".npz":
            _assign(model, path)
        else:
            model.load_weights(path)
    except Exception as error:  # h5py, Keras and zipfile each raise their own
        raise WeightsError(
            f"{path} does not hold weights that fit {backbone.name}: {_first(error)}.",
            f"Expected a weights file of {backbone.title} without its classification "
            "layers, as Keras saves it.",
        ) from error


def fetch(backbone: Backbone) -> Path:
    """The file of the pretrained weights, downloaded if it is not there.

    Raises:
        WeightsError: It cannot be downloaded, or what is there is damaged.
    """
    return _file_at_hand(backbone)


def add(file: Path) -> Backbone:
    """Puts a weights file where Keras looks for it; the backbone that it belongs to.

    Args:
        file: Named as Keras names it. It is checked by its published hash; where there
            is none, by the number of weights in it.

    Raises:
        WeightsError: There is no such file, or it is damaged or of another model.
    """
    if not file.is_file():
        raise WeightsError(f"There is no file {file}.")
    backbone = weights.of_file(file)
    if not _has_hash(file, backbone.weights_hash):
        raise WeightsError(
            f"{file.name} is damaged: its content does not have the published hash "
            f"{backbone.weights_hash}.",
            f"Download it again from {backbone.weights_url}.",
        )
    # Keras publishes no hash of some files; a count finds a file of another model.
    if not backbone.weights_hash:
        _count(file, backbone)
    place = weights.weights_file(backbone)
    with workspace.writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        # A copy that breaks off must not look like the file: what lies there is used
        # unasked.
        part = place.with_suffix(".part")
        shutil.copyfile(file, part)
        part.replace(place)
    return backbone


def _count(file: Path, backbone: Backbone) -> None:
    """Raises a `WeightsError` if the file does not hold as many weights as expected."""
    found = 0

    def visit(_: str, item: Any) -> None:
        nonlocal found
        found += item.size if isinstance(item, h5py.Dataset) else 0

    try:
        with h5py.File(file) as opened:
            # Only sizes are read, not the numbers: a large file takes no longer.
            opened.visititems(visit)
    except (OSError, RuntimeError, KeyError) as error:
        raise WeightsError(
            f"{file.name} cannot be read as a weights file: {_first(error)}.",
            f"Download it again from {backbone.weights_url}.",
        ) from error
    if found != backbone.parameters:
        raise WeightsError(
            f"{file.name} holds {found:,} weights, but {backbone.title} has "
            f"{backbone.parameters:,}.",
            f"Download it again from {backbone.weights_url}.",
        )


def _assign(model: keras.Model, path: Path) -> None:
    """Sets each variable to the array of its path, float16 in the file."""
    with np.load(path, allow_pickle=False) as arrays:
        for variable in model.variables:
            # In half precision the file that comes with the program is half as large.
            variable.assign(arrays[variable.path].astype(np.float32))


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


def _file_at_hand(backbone: Backbone) -> Path:
    path = weights.weights_file(backbone)
    if not path.is_file():
        return _download_for(backbone)
    if not _has_hash(path, backbone.weights_hash):
        raise WeightsError(
            f"{path} is damaged or outdated: its content does not have the published "
            f"hash {backbone.weights_hash}.",
            f"Delete it to have it downloaded again, or put the file from "
            f"{backbone.weights_url} in its place."
            if backbone.weights_url
            else "Take the file from Transfer Studio's own repository again.",
        )
    return path


def _download_for(backbone: Backbone) -> Path:
    name, url = backbone.weights_file, backbone.weights_url
    try:
        return _download(name, url, backbone.weights_hash)
    except _NoNetwork as error:
        raise weights.missing(backbone, str(error)) from error


def class_index() -> Path:
    """Keras' list of ImageNet's classes, downloaded if it is not there.

    Raises:
        WeightsError: It cannot be downloaded.
    """
    path = weights.keras_home() / "models" / _CLASSES
    try:
        return path if path.is_file() else _download(_CLASSES, _CLASSES_URL, "")
    except _NoNetwork as error:
        raise WeightsError(
            f"ImageNet's list of classes could not be downloaded: {error}.",
            f"Put the file {_CLASSES_URL} into {path.parent}.",
        ) from error


class _NoNetwork(Exception):
    """Why a file could not be downloaded."""


def _download(name: str, url: str, content_hash: str) -> Path:
    home = weights.keras_home()
    with workspace.writing(home):
        home.mkdir(parents=True, exist_ok=True)
    try:
        # Keras reports the download on stdout, which may be reserved for JSON.
        with _limited_patience(), contextlib.redirect_stdout(sys.stderr):
            path = keras.utils.get_file(
                name,
                url,
                cache_subdir="models",
                file_hash=content_hash or None,
                cache_dir=str(home),
            )
    except Exception as error:  # Keras raises a plain Exception for "no network"
        # "URL fetch failure on <address>: <number> -- <reason>"; the address follows.
        raise _NoNetwork(_first(error).rpartition(" -- ")[2]) from error
    return Path(path)


@contextlib.contextmanager
def _limited_patience() -> Iterator[None]:
    """A network that does not answer fails within seconds; Keras sets no limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _has_hash(path: Path, expected: str) -> bool:
    if not expected:
        return True
    with path.open("rb") as file:
        kind = "sha256" if len(expected) == 64 else "md5"
        return hashlib.file_digest(file, kind).hexdigest() == expected


def _first(error: Exception) -> str:
    """The first line of an error's text, without its full stop."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
