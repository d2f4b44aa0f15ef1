"""Writes the file that `backbones.structures` reads: `python -m` this module.

All of a structure but heights and widths is the same for every image size. These follow
from kernels, strides and paddings, so that is what is written.
"""

import json
import zipfile
from collections import defaultdict
from typing import Any

import keras
from keras import layers

from transfer.backbones import catalogue, graph, structures

#: Some networks pad odd lengths otherwise than even ones: at these sizes every
#: layer that pads meets both.
SIZES = (256, 257, 259, 254)
#: A rule of `structures`: which length, kernel, stride, padding if even, if odd.
Rule = tuple[int, int, int, int, int]
_ALL_BECOMES_ONE: Rule = (0, 0, 0, 0, 0)


def main() -> None:
    """Builds every backbone and writes what it is made of."""
    with zipfile.ZipFile(structures.FILE, "w", zipfile.ZIP_LZMA) as file:
        for name in catalogue.BACKBONES:
            content = json.dumps(describe(name), separators=(",", ":"))
            # With a date of its own each run would write other bytes.
            member = zipfile.ZipInfo(f"{name}.json")
            file.writestr(member, content, zipfile.ZIP_LZMA)
            print(f"{name:24}{len(content):10,} bytes", flush=True)
    print(f"{structures.FILE.name:24}{structures.FILE.stat().st_size:10,} bytes")


def describe(name: str) -> dict[str, Any]:
    """The structure of a backbone for every image size, as `structures` reads it."""
    model = _build(name, SIZES[0])
    read, nodes = graph.structure(model, name), graph.ordered_nodes(model)
    rules, length = _lengths(nodes, _paddings(name, nodes))
    area = {node.operation.name: _length(node.outputs[0]) ** 2 for node in nodes}
    kinds, blocks = sorted({layer.kind for layer in read.layers}), list(read.blocks)
    return {
        "kinds": kinds,
        "blocks": blocks,
        "lengths": rules,
        "layers": [
            (
                layer.name,
                kinds.index(layer.kind),
                blocks.index(layer.block),
                length[layer.name],
                layer.parameters,
                layer.statistics,
                layer.multiply_adds // area[layer.name],
            )
            for layer in read.layers
        ],
        "cuts": [(cut.index, cut.shape[-1]) for cut in read.cuts],
    }


def _build(name: str, size: int) -> keras.Model:
    return graph.build(name, image_size=(size, size))


def _lengths(
    nodes: list[Any], paddings: dict[str, dict[int, int]]
) -> tuple[list[Rule], dict[str, int]]:
    """The rules, and which length each layer's output has: 0 is the image's, 1 that of
    the first rule.
    """
    rules: list[Rule] = []
    length = {nodes[0].operation.name: 0}
    for node in nodes[1:]:
        # A tensor of length one may join another: it is spread over it.
        source = max(node.input_tensors, key=_length)
        below = length[source._keras_history.operation.name]
        rule = _rule(node, below, paddings)
        if rule and rule not in rules:
            rules.append(rule)
        length[node.operation.name] = 1 + rules.index(rule) if rule else below
    return rules, length


def _rule(node: Any, below: int, paddings: dict[str, dict[int, int]]) -> Rule | None:
    """How the length of a layer's output follows from one below; None: it is that."""
    layer = node.operation
    if isinstance(layer, layers.GlobalAveragePooling2D):
        return _ALL_BECOMES_ONE
    if padding := paddings.get(layer.name):
        return below, 1, 1, padding[0], padding[1]
    stride, _ = getattr(layer, "strides", (1, 1))
    window, _ = getattr(layer, "kernel_size", getattr(layer, "pool_size", (1, 1)))
    # With padding "same" it is as if each window were a single place.
    kernel = window if getattr(layer, "padding", "") == "valid" else 1
    return None if kernel == stride == 1 else (below, kernel, stride, 0, 0)


def _paddings(name: str, nodes: list[Any]) -> dict[str, dict[int, int]]:
    """What each padding layer adds to a length that is even (0) and one that is odd."""
    found: dict[str, dict[int, int]] = defaultdict(dict)
    if not any(_pads(node) for node in nodes):
        return found
    others = [graph.ordered_nodes(_build(name, size)) for size in SIZES[1:]]
    for node in filter(_pads, [node for all_of in (nodes, *others) for node in all_of]):
        before, after = _length(node.input_tensors[0]), _length(node.outputs[0])
        found[node.operation.name][before % 2] = after - before
    return found


def _pads(node: Any) -> bool:
    """Whether it changes nothing but heights and widths."""
    return isinstance(node.operation, layers.ZeroPadding2D | layers.Cropping2D)


def _length(tensor: Any) -> int:
    """Height of an image, and so its width; of what has none, one."""
    return int(tensor.shape[1]) if len(tensor.shape) == 4 else 1


if __name__ == "__main__":
    main()
