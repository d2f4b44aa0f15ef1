"""The formats on offer, as plain data; Keras is not needed to choose one."""

import difflib
from dataclasses import dataclass

from transfer.errors import ConfigError

#: How numbers are stored: 32 bits, 16 bits, or 8 bits with calibrated ranges.
QUANTIZATIONS = ("none", "float16", "int8")


@dataclass(frozen=True, kw_only=True)
class Format:
    """One file format of an exported model.

    Attributes:
        name: Its name on the command line.
        title: Its name for people.
        file: Name of the file or folder in the bundle.
        packages: What predicts with it, besides NumPy, Pillow and pi-heif.
        quantizations: Which of `QUANTIZATIONS` it is offered with.
        says: Where one uses it, in one sentence.
    """

    name: str
    title: str
    file: str
    packages: tuple[str, ...]
    quantizations: tuple[str, ...] = ("none",)
    says: str


_ALL = (
    Format(
        name="keras",
        title="Keras",
        file="model.keras",
        packages=("tensorflow", "keras"),
        says="For Python with Keras; can be trained further.",
    ),
    Format(
        name="savedmodel",
        title="TensorFlow SavedModel",
        file="saved_model",
        packages=("tensorflow",),
        says="For TensorFlow Serving and other servers.",
    ),
    Format(
        name="litert",
        title="LiteRT",
        file="model.tflite",
        packages=("ai-edge-litert",),
        quantizations=QUANTIZATIONS,
        says="For phones and small devices; known as TensorFlow Lite before.",
    ),
    Format(
        name="onnx",
        title="ONNX",
        file="model.onnx",
        packages=("onnxruntime",),
        says="For ONNX Runtime in Python, C++, C#, Java and the browser.",
    ),
    Format(
        name="openvino",
        title="OpenVINO",
        file="model.xml",
        packages=("openvino",),
        says="For the fastest answers on Intel processors.",
    ),
)

#: All formats by name, in the order in which they are shown.
FORMATS: dict[str, Format] = {one.name: one for one in _ALL}

#: Why one format that people ask for is missing.
NOT_OFFERED = (
    "TensorFlow.js is not offered: its converter (tensorflowjs 4.22.0) works with "
    "Keras 2 and needs tensorflow-decision-forests, which pins TensorFlow 2.19 and so "
    "cannot be installed beside this program. For the browser take ONNX."
)

#: Largest difference of a probability that counts as rounding, in float32. Files of
#: shorter numbers are judged by their first guesses: in float16 a probability of
#: MobileNetV2 0.35 was off by 0.004, from rounding its weights alone.
TOLERANCES = {"none": 1e-4}

#: What they may say differently at the first guess, as a share of images; one image
#: always may.
_MAY_DIFFER = {"float16": 0.01, "int8": 0.02}


def smallest_agreement(quantize: str, images: int) -> float:
    """Share of so many images whose first guess must stay, 0 to 1."""
    if quantize not in _MAY_DIFFER:
        return 1.0
    return (images - max(1, int(_MAY_DIFFER[quantize] * images))) / images


def get(name: str, quantize: str = "none") -> Format:
    """The format of that name, if it is offered with this quantisation.

    Raises:
        ConfigError: There is no such format, or not with this quantisation.
    """
    if name not in FORMATS:
        near = difflib.get_close_matches(name.lower(), FORMATS, n=1)
        raise ConfigError(
            f"There is no format {name!r}; expected one of {', '.join(FORMATS)}.",
            f"Did you mean {near[0]}?" if near else "",
        )
    chosen = FORMATS[name]
    if quantize not in chosen.quantizations:
        raise ConfigError(
            f"{chosen.title} is not offered with the quantisation {quantize!r}, but "
            f"with {', '.join(chosen.quantizations)}.",
            "float16 and int8 are made for litert only.",
        )
    return chosen
