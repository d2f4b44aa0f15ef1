"""EfficientNet-Lite as a Keras network; a file of PyTorch's has its weights.

EfficientNet (Tan and Le 2019, https://arxiv.org/abs/1905.11946) without squeeze-and-
excite and with ReLU6 in place of swish, so that it runs fast and in 8 bits everywhere:
https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite. Stem
and top are never scaled.
"""

import math
from typing import Any

import keras
from keras import layers

#: Repeats, kernel size, stride, expansion and channels of each stage, unscaled.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM_CHANNELS, TOP_CHANNELS = 32, 1280


def EfficientNetLite(  # noqa: N802  named as the builders of keras.applications are
    include_top: bool = False,
    weights: None = None,
    input_tensor: Any = None,
    width: float = 1.0,
    depth: float = 1.0,
) -> keras.Model:
    """The network without weights, called as the builders of `keras.applications` are.

    Args:
        include_top: Must be False: `source_head` has the classification layer.
        weights: Must be None: they are loaded afterwards.
        input_tensor: Scaled pixels `(batch, height, width, 3)` in [-1, 1], float32.
        width: Factor on the channels of the stages.
        depth: Factor on the repeats of all stages but the first and the last.

    Returns:
        A model from the input tensor's own input to the last feature map
        `(batch, height / 32, width / 32, 1280)`, float32.
    """
    if include_top or weights is not None:
        raise ValueError("EfficientNet-Lite is built without a top and weights.")
    x = _convolve(input_tensor, STEM_CHANNELS, 3, 2, "stem_")
    for stage, (repeats, size, stride, expansion, channels) in enumerate(STAGES, 1):
        inner = 1 < stage < len(STAGES)
        for number in range(math.ceil(depth * repeats) if inner else repeats):
            name = f"block{stage}{chr(ord('a') + number)}_"
            step = 1 if number else stride
            x = _block(x, size, step, expansion, _round(width * channels), name)
    x = _convolve(x, TOP_CHANNELS, 1, 1, "top_")
    return keras.Model(keras.utils.get_source_inputs(input_tensor), x)


def _round(channels: float) -> int:
    """To a multiple of 8, but by no more than a tenth downwards."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def _block(
    x: Any, size: int, stride: int, expansion: int, channels: int, name: str
) -> Any:
    """An inverted residual block: expand, filter each channel, project."""
    y = x
    if expansion > 1:
        y = _convolve(y, expansion * x.shape[-1], 1, 1, f"{name}expand_")
    y = layers.DepthwiseConv2D(
        size, stride, "same", use_bias=False, name=f"{name}dwconv"
    )(y)
    y = _activate(_normalize(y, name), name)
    y = _convolve(y, channels, 1, 1, f"{name}project_", activation=False)
    if stride > 1 or x.shape[-1] != channels:
        return y
    return layers.Add(name=f"{name}add")([y, x])


def _convolve(
    x: Any, channels: int, size: int, stride: int, name: str, activation: bool = True
) -> Any:
    """A convolution without bias, BatchNorm, and ReLU6 where `activation`."""
    x = layers.Conv2D(
        channels, size, stride, "same", use_bias=False, name=f"{name}conv"
    )(x)
    x = _normalize(x, name)
    return _activate(x, name) if activation else x


def _normalize(x: Any, name: str) -> Any:
    return layers.BatchNormalization(epsilon=1e-3, name=f"{name}bn")(x)


def _activate(x: Any, name: str) -> Any:
    return layers.ReLU(6.0, name=f"{name}activation")(x)
