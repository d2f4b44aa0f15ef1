"""The starter's architecture: a small residual network of plain convolutions.

Its last feature map is that of three depths side by side: early in training a linear
head found 1 point of accuracy on flower_photos below the top, at the end nothing more.

Plain 3x3 convolutions run close to what a processor can compute, in training too, where
depthwise ones wait for memory. Residual blocks as in He et al. 2016,
https://arxiv.org/abs/1512.03385; shortcuts that average before they project as in He et
al. 2019, https://arxiv.org/abs/1812.01187, section 4.2 (ResNet-D).
"""

from typing import Any

import keras
from keras import layers

#: Channels and stride of each residual block.
BLOCKS = ((64, 2), (128, 2), (128, 1), (384, 2))

STEM_CHANNELS = 32

#: Channels of the top convolution, and of the last feature map: those of block 4, which
#: the top reads, and of block 3 as well.
TOP_CHANNELS = 1024
CHANNELS = TOP_CHANNELS + BLOCKS[3][0] + BLOCKS[2][0]


def Starter(  # noqa: N802  named as the builders of keras.applications are
    include_top: bool = False, weights: None = None, input_tensor: Any = None
) -> keras.Model:
    """The network without weights, called as the builders of `keras.applications` are.

    Args:
        include_top: Must be False: it has no classification layers.
        weights: Must be None: they are loaded afterwards.
        input_tensor: Scaled pixels `(batch, height, width, 3)` in [-1, 1], float32.

    Returns:
        A model from the input tensor's own input to the last feature map
        `(batch, height / 16, width / 16, 1536)`, float32.
    """
    if include_top or weights is not None:
        raise ValueError("The starter has neither classification layers nor a fetch.")
    x = _convolve(input_tensor, STEM_CHANNELS, 5, 2, "stem")
    for number, (channels, stride) in enumerate(BLOCKS, 1):
        below, x = x, _block(x, channels, stride, f"block{number}")
    top = _convolve(x, TOP_CHANNELS, 1, 1, "block4_top")
    below = layers.AveragePooling2D(stride, padding="same", name="block4_below")(below)
    features = layers.Concatenate(name="block4_features")([top, x, below])
    source = keras.utils.get_source_inputs(input_tensor)
    return keras.Model(source, features, name="starter")


def _block(x: Any, channels: int, stride: int, name: str) -> Any:
    """Two 3x3 convolutions beside a shortcut."""
    y = _convolve(x, channels, 3, stride, f"{name}_1")
    y = _convolve(y, channels, 3, 1, f"{name}_2", activation=False)
    if stride > 1:
        x = layers.AveragePooling2D(stride, padding="same", name=f"{name}_pool")(x)
    if x.shape[-1] != channels:
        x = _convolve(x, channels, 1, 1, f"{name}_shortcut", activation=False)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, y]))


def _convolve(
    x: Any, channels: int, size: int, stride: int, name: str, activation: bool = True
) -> Any:
    """A convolution without bias, BatchNorm, and ReLU where `activation`."""
    x = layers.Conv2D(
        channels,
        size,
        stride,
        "same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if activation else x
