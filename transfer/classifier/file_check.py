"""Whether a `model.keras` is one that this program wrote: looked at, never executed.

A Keras file is a zip with a description of the layers and an HDF5 file of weights. A
description can name any Python function that Keras can import, and an HDF5 file can
point at other files of the machine, so both are read as plain data before Keras sees
them. Keras' own `safe_mode` refuses only Lambda layers.
"""

import json
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from transfer.errors import RunError

#: Bytes that all parts of a model may take; ConvNeXtXLarge has 1.4 GB of weights.
MAX_BYTES = 4 << 30
#: Bytes of the description; NASNetLarge's has 1.5 MB.
MAX_CONFIG_BYTES = 32 << 20

_PARTS = {"metadata.json", "config.json", "model.weights.h5"}
#: Keras' modules whose classes our models are made of. No `keras.utils`, which can
#: download and write, and none of other packages.
_MODULES = (
    "keras.layers",
    "keras.initializers",
    "keras.regularizers",
    "keras.src.models.functional",
    "keras.src.ops",
)
#: Single classes of other modules: precision, and layers that two backbones bring.
_CLASSES = {
    ("keras", "DTypePolicy"),
    ("keras", "Sequential"),
    ("keras.models", "Sequential"),
    ("keras.src.applications.convnext", "LayerScale"),
    ("keras.src.applications.inception_resnet_v2", "CustomScaleLayer"),
}
#: Layers that hold code or read other files.
_REFUSED = {
    "Lambda",
    "TFSMLayer",
    "TorchModuleWrapper",
    "JaxLayer",
    "FlaxLayer",
    "function",
    "__lambda__",
}
_HINT = (
    "It was changed after the run had written it, or comes from somewhere else; "
    "start the run again to get its own model."
)


def check(path: Path, image_size: tuple[int, int] | None = None) -> None:
    """Checks a model's file without executing any of it.

    Args:
        path: The `model.keras`.
        image_size: `(height, width)` in pixels that its input must have; any if None.

    Raises:
        RunError: It is not the model of a run, and why.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_parts(archive)
            config = json.loads(archive.read("config.json"))
            _check_description(config, image_size)
            _check_weights(archive)
    except RunError:
        raise
    except Exception as error:
        # zipfile, json and h5py raise nearly anything on files made to mislead them.
        raise refusal(f"it is damaged ({type(error).__name__}: {error})") from error


def refusal(reason: str) -> RunError:
    """The error that a model's file is not loaded for this reason."""
    return RunError(f"The model was not loaded: {reason}.", _HINT)


def _check_parts(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    names = [part.filename for part in parts]
    if set(names) != _PARTS or len(names) != len(_PARTS):
        raise refusal(
            f"the file holds {', '.join(sorted(names)[:6])}, but must hold exactly "
            f"{', '.join(sorted(_PARTS))}"
        )
    for part in parts:
        if part.compress_type != zipfile.ZIP_STORED or part.flag_bits & 1:
            raise refusal(f"its part {part.filename} is compressed or encrypted")
        if stat.S_ISLNK(part.external_attr >> 16):
            raise refusal(f"its part {part.filename} is a link")
    if sum(part.file_size for part in parts) > MAX_BYTES:
        raise refusal(f"it claims more than {MAX_BYTES >> 30} GB")
    if archive.getinfo("config.json").file_size > MAX_CONFIG_BYTES:
        raise refusal("its description of layers is larger than 32 MB")


def _check_description(config: Any, image_size: tuple[int, int] | None) -> None:
    if config.get("class_name") != "Functional":
        raise refusal(f"it is a {config.get('class_name')}, not a functional model")
    for one in _objects(config):
        _check_object(one)
    pixels = [
        layer["config"]["batch_shape"]
        for layer in config["config"]["layers"]
        if layer["class_name"] == "InputLayer"
    ]
    if len(pixels) != 1 or len(pixels[0]) != 4 or pixels[0][3] != 3:
        raise refusal(f"its inputs are {pixels}, not one of RGB pixels")
    if image_size and tuple(pixels[0][1:3]) != tuple(image_size):
        raise refusal(
            f"it takes images of {pixels[0][1]} × {pixels[0][2]} pixels, but the run "
            f"was made for {image_size[0]} × {image_size[1]}"
        )


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every description of an object, however deep."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            if "class_name" in one:
                yield one
            pending += one.values()
        elif isinstance(one, list):
            pending += one


def _check_object(one: dict[str, Any]) -> None:
    name, module = one["class_name"], one.get("module")
    if name in _REFUSED:
        raise refusal(f"it has a {name}, which can hold code")
    if module is None and name in ("__keras_tensor__", "__tuple__", "__numpy__"):
        return
    own = any(
        module == known or str(module).startswith(f"{known}.") for known in _MODULES
    )
    if not own and (module, name) not in _CLASSES:
        raise refusal(f"it has a {name} of {module}, which is none of Keras' layers")
    if one.get("registered_name") not in (None, name):
        raise refusal(f"it has a custom object {one['registered_name']}")


def _check_weights(archive: zipfile.ZipFile) -> None:
    """The weights are in the file itself, and no larger than it is."""
    with archive.open("model.weights.h5") as file, h5py.File(file) as weights:
        total = sum(dataset.nbytes for dataset in _datasets(weights))
    if total > archive.getinfo("model.weights.h5").file_size:
        raise refusal("its weights claim more bytes than the file has")


def _datasets(group: Any) -> Iterator[Any]:
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise refusal(f"its weights {name} are a link to elsewhere")
        one = group[name]
        if isinstance(one, h5py.Group):
            yield from _datasets(one)
        elif one.external or one.is_virtual or one.dtype.kind not in "fiub":
            raise refusal(f"its weights {name} are not plain numbers")
        else:
            yield one
