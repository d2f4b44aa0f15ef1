"""What a backbone is made of, as plain data: operations, blocks and cuts.

`backbones.graph` reads it from the real Keras model, `backbones.structures` from a
file, for who needs no more of it.
"""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One operation of the backbone's graph, in topological order.

    Attributes:
        name: The operation's name, unique in the backbone.
        kind: Its Keras class, such as `Conv2D`.
        block: Name of the block it belongs to.
        parameters: Number of weights that can train.
        statistics: Number of weights that never train (BatchNorm's moving averages).
        multiply_adds: Multiplications with a weight that one image takes.
    """

    name: str
    kind: str
    block: str
    parameters: int
    statistics: int
    multiply_adds: int = 0


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A point where one tensor separates what lies below from what lies above.

    Attributes:
        layer: Name of the operation whose output is that tensor.
        index: Position of that operation in `Structure.layers`; everything up to and
            including it is the prefix.
        shape: Shape of the tensor without the batch axis.
    """

    layer: str
    index: int
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Structure:
    """A backbone's layers from input to output, and where it can be cut.

    Attributes:
        backbone: Name in the catalogue.
        image_size: `(height, width)` in pixels that the shapes hold for.
        layers: All operations, in an order in which each follows its inputs; the
            first is the input itself, and scaling belongs to it too.
        cuts: All single-tensor points from input to output; the first is the input,
            the last the output.
    """

    backbone: str
    image_size: tuple[int, int]
    layers: tuple[Layer, ...]
    cuts: tuple[Cut, ...]

    @cached_property
    def blocks(self) -> dict[str, tuple[Layer, ...]]:
        """The layers by block name, blocks in order from input to output."""
        # A dictionary keeps the order in which names first come, so blocks stay in the
        # order of the network.
        blocks: dict[str, list[Layer]] = {}
        for layer in self.layers:
            blocks.setdefault(layer.block, []).append(layer)
        return {name: tuple(layers) for name, layers in blocks.items()}
