"""Cuts and blocks of a graph of operations, read without Keras.

Cuts come from the graph alone. Blocks take their names from the names that Keras gives
to layers, and their extent from the graph: what lies between two cuts stays together,
so a residual block is whole.
"""

import graphlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

STEM = "stem"
TOP = "top"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of a graph in which each follows its inputs.

    Attributes:
        name: Unique name.
        has_weights: Whether it has weights of any kind.
        inputs: Positions of the operations whose output it reads.
    """

    name: str
    has_weights: bool
    inputs: tuple[int, ...]


#: How layer names tell their block, by family: a pattern and the block's name. Residual
#: and inverted residual blocks, Inception modules and NASNet cells are blocks. DenseNet
#: has up to 98 layers that all feed the later ones, so there it is the dense blocks
#: (`conv2` to `conv5`) and the transitions between them (`pool2` to `pool4`).
RULES: dict[str, tuple[tuple[str, str], ...]] = {
    "MobileNet": ((r"^conv_(?:dw|pw|pad)_(\d+)", r"block_\1"),),
    "MobileNetV2": ((r"^expanded_conv_", "block_0"), (r"^(block_\d+)_", r"\1")),
    "MobileNetV3": (
        (r"^expanded_conv_(\d+)_", r"block_\1"),
        (r"^expanded_conv_", "block_0"),
    ),
    "EfficientNet": ((r"^(block\d[a-z])_", r"\1"),),
    "EfficientNetV2": ((r"^(block\d[a-z])_", r"\1"),),
    "EfficientNetLite": ((r"^(block\d[a-z])_", r"\1"),),
    "ResNet": ((r"^(conv\d_block\d+)_", r"\1"),),
    "ResNetV2": ((r"^(conv\d_block\d+)_", r"\1"),),
    "DenseNet": ((r"^(conv\d)_block", r"\1"), (r"^(pool[2-9])_", r"\1")),
    "Inception": (
        (r"^(mixed\d+)$", r"\1"),
        (r"^(mixed_\d[a-z])$", r"\1"),
        (r"^(block\d+_\d+)", r"\1"),
    ),
    "Xception": ((r"^(block(?:[2-9]|1\d))_", r"\1"),),
    "VGG": ((r"^(block\d)_", r"\1"),),
    "NASNet": (
        (r"^(?:\w+_)?(stem_\d)$", r"cell_\1"),
        (r"^(?:\w+_)?(reduce_\d+)$", r"cell_\1"),
        (r"^(?:normal|separable|adjust)\w*_(\d+)$", r"cell_\1"),
    ),
    "ConvNeXt": (
        (r"_(stage_\d_block_\d+)", r"\1"),
        (r"_downsampling_\w+_(\d)$", r"downsample_\1"),
    ),
}


def cut_positions(operations: Sequence[Operation]) -> list[int]:
    """Positions after which only that operation's output is still needed.

    The last operation is the graph's output, the first its only input. Whether an
    operation's output is a cut does not depend on the order of the others.
    """
    last_use = list(range(len(operations)))
    for position, operation in enumerate(operations):
        for source in operation.inputs:
            last_use[source] = position
    # One pass: whatever is read further up keeps all between from being a cut.
    cuts, reach = [], 0
    for position, use in enumerate(last_use):
        # `reach` is the furthest reader of anything below this operation.
        if reach <= position:
            cuts.append(position)
        reach = max(reach, use)
    return cuts


def name_blocks(operations: Sequence[Operation], family: str) -> list[str]:
    """The block of each operation.

    Operations before the first named block are its stem (or belong to it, if there is
    nothing to train in them); those with weights after the last are the top.
    """
    named = [_rule(operation.name, family) for operation in operations]
    segments = _segments(operations)
    for segment in segments:
        _fill_segment(operations, named, segment)
    _fill_between(operations, named, segments)
    return [name or STEM for name in named]


def contiguous_order(operations: Sequence[Operation], blocks: list[str]) -> list[int]:
    """Positions in an order that keeps each block together and inputs first.

    Where blocks feed each other in a circle there is no such order, and the given one
    is returned.
    """
    sorter: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter()
    for block, operation in zip(blocks, operations, strict=True):
        sorter.add(block, *(blocks[i] for i in operation.inputs if blocks[i] != block))
    try:
        rank = {block: place for place, block in enumerate(sorter.static_order())}
    except graphlib.CycleError:
        return list(range(len(operations)))
    return sorted(range(len(operations)), key=lambda i: (rank[blocks[i]], i))


def _rule(name: str, family: str) -> str | None:
    for pattern, block in RULES[family]:
        found = re.search(pattern, name)
        if found:
            return found.expand(block)
    return None


def _segments(operations: Sequence[Operation]) -> list[range]:
    """What lies between neighbouring cuts, the upper cut included."""
    cuts = cut_positions(operations)
    starts = [0] + [cut + 1 for cut in cuts[:-1]]
    return [range(a, b + 1) for a, b in zip(starts, cuts, strict=True)]


def _fill_segment(
    operations: Sequence[Operation], named: list[str | None], segment: range
) -> None:
    """Gives the unnamed operations of a segment the name of the others."""
    names = {named[i] for i in segment} - {None}
    if len(names) == 1:
        for i in segment:
            named[i] = next(iter(names))
    elif names:
        _follow_readers(operations, named, segment)


def _follow_readers(
    operations: Sequence[Operation], named: list[str | None], segment: range
) -> None:
    """Several blocks share the segment: an unnamed operation joins its first reader."""
    for reader in reversed(segment):
        for source in operations[reader].inputs:
            if named[source] is None and source in segment:
                named[source] = named[reader]
    for i in segment:
        if named[i] is None:  # nothing named reads it: it stays with what it reads
            named[i] = named[operations[i].inputs[0]]


def _fill_between(
    operations: Sequence[Operation], named: list[str | None], segments: list[range]
) -> None:
    """Names the segments without any name, by what lies below and above them."""
    # What is unnamed at either end is stem or top; in between it belongs to its
    # neighbour above, which it prepares the input of.
    known = [i for i, s in enumerate(segments) if named[s[0]] is not None]
    first, last = known[0], known[-1]
    below = STEM
    if not any(operations[i].has_weights for s in segments[:first] for i in s):
        below = named[segments[first][0]] or STEM
    for place, segment in enumerate(segments):
        if named[segment[0]] is None:
            if any(operations[i].has_weights for i in segment) and place > first:
                below = TOP if place > last else _next(named, segment)
            for i in segment:
                named[i] = below
        below = named[segment[-1]] or below


def _next(named: list[str | None], segment: range) -> str:
    """The name of the first named operation above a segment."""
    return next(name for name in named[segment[-1] + 1 :] if name is not None)
