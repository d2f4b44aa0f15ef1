"""Networks as Keras' builders make them, from pixels on and flat."""

import math
from typing import Any

import keras
from keras import layers

from transfer.backbones import efficientnet_lite, pretrained, structures
from transfer.backbones.catalogue import Backbone
from transfer.errors import BackboneError

#: Mean and standard deviation of ImageNet's pixels, red, green, blue, in [0, 1].
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
#: Mean that the `caffe` weights expect to be subtracted: blue, green, red, [0, 255].
_CAFFE_MEAN = (103.939, 116.779, 123.68)


def build(backbone: Backbone, weights: str, size: tuple[int, int]) -> keras.Model:
    """The network as `graph.build` hands it out, named by where in the thread's count
    of layers it was built.

    Args:
        backbone: An entry of the catalogue.
        weights: As in `graph.build`.
        size: `(height, width)` in pixels.

    Raises:
        BackboneError: It cannot take this size.
        WeightsError: The weights are missing, broken or of another model.
    """
    pixels = keras.Input((*size, 3), name="pixels")
    is_lite = backbone.family == "EfficientNetLite"
    home = efficientnet_lite if is_lite else keras.applications
    try:
        model = getattr(home, backbone.builder)(
            include_top=False,
            # Keras' own loader would ask the network first; ours checks what it loads.
            weights=None,
            input_tensor=_scale(pixels, backbone),
            **backbone.arguments,
        )
    except ValueError as error:
        raise BackboneError(
            f"{backbone.name} cannot take images of {size[0]} x {size[1]} pixels: "
            f"{str(error).splitlines()[0]}"
        ) from error
    if weights != "random":
        pretrained.load(model, backbone, weights)
    # After loading: the weights file names layers as Keras' builder does.
    if backbone.family in ("EfficientNet", "ConvNeXt"):
        model = _rebuild(model, backbone.family)
    if backbone.last_block:
        model = _beginning(model, backbone)
    return keras.Model(model.inputs[0], model.outputs[0], name=backbone.name)


def _beginning(model: keras.Model, backbone: Backbone) -> keras.Model:
    """The network up to the end of the backbone's last block."""
    last = structures.read(backbone.name, model.input_shape[1]).layers[-1].name
    return keras.Model(model.inputs[0], model.get_layer(last).output)


def _scale(pixels: Any, backbone: Backbone) -> Any:
    """Pixels in [0, 255] as the weights of the backbone expect them."""
    if backbone.preprocessing == "tf":
        return layers.Rescaling(1 / 127.5, -1.0, name="scaling")(pixels)
    if backbone.preprocessing == "torch":
        scale = [1 / 255 / deviation for deviation in _DEVIATION]
        offset = [-m / d for m, d in zip(_MEAN, _DEVIATION, strict=True)]
        return layers.Rescaling(scale, offset, name="scaling")(pixels)
    if backbone.preprocessing == "caffe":
        offset = [-mean for mean in _CAFFE_MEAN]
        # These weights were learnt in Caffe, which reads pictures as blue, green, red.
        flipped = keras.ops.flip(pixels, axis=-1)
        return layers.Rescaling([1.0, 1.0, 1.0], offset, name="scaling")(flipped)
    # The model scales them itself.
    return pixels


def _rebuild(model: keras.Model, family: str) -> keras.Model:
    """The same model with what Keras' builder hides or leaves out.

    ConvNeXt's stem and downsampling are nested Sequentials; here their layers stand in
    the graph itself. EfficientNet's ImageNet weights need a division by the root of
    the deviation that the builder adds only when it loads them itself
    (https://github.com/tensorflow/tensorflow/issues/49930).
    """

    def clone(operation: Any) -> Any:
        if isinstance(operation, keras.Sequential):
            return operation
        return type(operation).from_config(operation.get_config())

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(operation, keras.Sequential):
            (output,) = args
            for layer in operation.layers:
                output = clone(layer)(output)
            return output
        output = operation(*args, **kwargs)
        if family == "EfficientNet" and isinstance(operation, layers.Normalization):
            scale = [1 / math.sqrt(deviation) for deviation in _DEVIATION]
            output = layers.Rescaling(scale, name="deviation_scaling")(output)
        return output

    rebuilt = keras.models.clone_model(model, clone_function=clone, call_function=call)
    rebuilt.set_weights(model.get_weights())
    for layer in rebuilt.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()  # it computes with a copy of its weights
    return rebuilt
