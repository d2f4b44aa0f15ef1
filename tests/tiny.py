"""A backbone of a few layers, for tests of what is done with whichever backbone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import keras
import pytest
from keras import layers

from transfer.backbones import catalogue

#: Its name in the catalogue, in processes that have it there.
NAME = "tiny"
#: Of its last feature map.
CHANNELS = 16


def network(include_top: bool, weights: None, input_tensor: Any) -> keras.Model:
    """A stem and seven blocks, each with BatchNorm, the last five residual."""
    x = input_tensor
    for number in range(8):
        strides = 2 if number < 3 else 1
        block = f"block_{number}" if number else "stem"
        y = layers.Conv2D(
            CHANNELS, 3, strides, "same", use_bias=False, name=f"{block}_conv"
        )(x)
        y = layers.BatchNormalization(name=f"{block}_norm")(y)
        y = layers.ReLU(6.0, name=f"{block}_relu")(y)
        x = y if strides == 2 else layers.Add(name=f"{block}_add")([x, y])
    return keras.Model(keras.utils.get_source_inputs(input_tensor), x)


@contextmanager
def offered() -> Iterator[None]:
    """The catalogue has it, in this process and for the time of the block."""
    like = catalogue.get("mobilenet_v2_035")
    entry = replace(like, name=NAME, title="Tiny", builder="Tiny", arguments={})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(catalogue.BACKBONES, NAME, entry)
        patch.setattr(keras.applications, "Tiny", network, raising=False)
        yield
