"""The structure of every backbone at any image size, from a file that comes with the
program: nothing is built to know it.

`backbones.survey` writes the file from the real graphs.
"""

import json
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from transfer.backbones import catalogue
from transfer.backbones.structure import Cut, Layer, Structure

FILE = Path(__file__).with_name("structures.zip")


@lru_cache(maxsize=64)
def read(backbone: str, image_size: int | None = None) -> Structure:
    """The layers, blocks and cuts of a backbone.

    Args:
        backbone: Name in the catalogue.
        image_size: Height and width in pixels; `None` is the backbone's own.

    Raises:
        BackboneError: There is no such backbone, or it cannot take this size.
    """
    entry = catalogue.get(backbone)
    size = image_size or entry.native_size
    catalogue.check_size(entry, (size, size))
    data = read_rules(entry.whole or backbone)
    lengths = _lengths(data["lengths"], size)
    layers = data["layers"][: _count(data, entry.last_block)]
    return Structure(
        backbone=backbone,
        image_size=(size, size),
        layers=tuple(
            Layer(
                name=name,
                kind=data["kinds"][kind],
                block=data["blocks"][block],
                parameters=parameters,
                statistics=statistics,
                multiply_adds=kernels * lengths[length] ** 2,
            )
            for name, kind, block, length, parameters, statistics, kernels in layers
        ),
        cuts=tuple(
            Cut(
                layer=layers[index][0],
                index=index,
                shape=(lengths[layers[index][3]],) * 2 + (channels,),
            )
            for index, channels in data["cuts"]
            if index < len(layers)
        ),
    )


def _count(data: dict[str, Any], last_block: str) -> int:
    """Number of layers up to the end of a block; all of them without one."""
    layers = data["layers"]
    if not last_block:
        return len(layers)
    last = data["blocks"].index(last_block)
    return 1 + max(at for at, layer in enumerate(layers) if layer[2] == last)


@lru_cache(maxsize=8)
def read_rules(backbone: str) -> dict[str, Any]:
    """What the file says of a backbone, as `survey.describe` made it."""
    with zipfile.ZipFile(FILE) as file:
        data: dict[str, Any] = json.loads(file.read(f"{backbone}.json"))
    return data


def _lengths(rules: list[list[int]], size: int) -> list[int]:
    """The different heights, and so widths, that outputs have for images of a size.

    Each rule says how one comes from an earlier one: which, the kernel, the stride
    (0 where all becomes one), and what is padded to an even and to an odd length.
    """
    lengths = [size]
    for source, kernel, stride, *padding in rules:
        padded = lengths[source] + padding[lengths[source] % 2]
        lengths.append((padded - kernel) // stride + 1 if stride else 1)
    return lengths
