"""Backbones as Keras models: built, read as blocks and cuts, taken apart at a cut."""

import contextlib
import hashlib
import math
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np

from transfer.backbones import architecture, blocks, catalogue
from transfer.backbones.structure import Cut, Layer, Structure
from transfer.errors import BackboneError

#: What was built ahead, by the arguments of `build`.
_ahead: dict[tuple[str, str, tuple[int, int], int], keras.Model] = {}


def build(
    name: str,
    *,
    weights: str = "random",
    image_size: tuple[int, int] | None = None,
    seed: int = 0,
) -> keras.Model:
    """A backbone from pixels to its last feature map, everything trainable.

    Layer names, variable paths and random weights depend on the arguments alone, not
    on what was built before.

    Args:
        name: Name in the catalogue.
        weights: `imagenet`, `random` or the path of a weights file.
        image_size: `(height, width)` in pixels; the backbone's own if None.
        seed: Seed of random weights.

    Returns:
        A flat functional model. Input `pixels` `(batch, height, width, 3)`, float32
        RGB in [0, 255]; output `(batch, rows, columns, channels)`, float32.

    Raises:
        BackboneError: There is no such backbone, or it cannot take this size.
        WeightsError: The weights are missing, broken or of another model.
    """
    backbone = catalogue.get(name)
    size = image_size or (backbone.native_size, backbone.native_size)
    catalogue.check_size(backbone, size)
    if built := _ahead.pop((name, weights, size, seed), None):
        return built
    # Keras numbers layers per thread; in a new one it starts from nothing, so that
    # `conv2d_7` is the same layer in every process. It is the only public way to that:
    # `clear_session` would also drop what the caller holds.
    with _python_seed(seed), ThreadPoolExecutor(1) as thread:
        return thread.submit(architecture.build, backbone, weights, size).result()


def build_ahead(
    name: str, weights: str, image_size: tuple[int, int], seed: int
) -> None:
    """Builds what the next `build` with these arguments hands out at once."""
    built = build(name, weights=weights, image_size=image_size, seed=seed)
    _ahead[name, weights, image_size, seed] = built


def structure(model: keras.Model, name: str) -> Structure:
    """The layers, blocks and cuts of a backbone that `build` made.

    Args:
        model: The backbone.
        name: Its name in the catalogue.
    """
    nodes = ordered_nodes(model)
    operations = _operations(nodes)
    names = blocks.name_blocks(operations, catalogue.get(name).family)
    order = blocks.contiguous_order(operations, names)
    nodes, names = [nodes[i] for i in order], [names[i] for i in order]
    height, width = model.input_shape[1:3]
    return Structure(
        backbone=name,
        image_size=(height, width),
        layers=tuple(_layer(n, b) for n, b in zip(nodes, names, strict=True)),
        cuts=tuple(
            Cut(
                layer=nodes[i].operation.name,
                index=i,
                shape=tuple(nodes[i].outputs[0].shape[1:]),
            )
            for i in blocks.cut_positions(_operations(nodes))
        ),
    )


def prefix(model: keras.Model, layer: str) -> keras.Model:
    """What lies below a cut: from the model's input to the output of `layer`.

    It shares its layers, and so its weights, with the model. At the input it is the
    identity.

    Raises:
        BackboneError: The model has no operation of that name.
    """
    return keras.Model(model.inputs[0], _output(model, layer), name="prefix")


def suffix(model: keras.Model, layer: str) -> keras.Model:
    """What lies above a cut: from the output of `layer` to the model's output.

    It shares its layers, and so its weights, with the model. At the output it is the
    identity.

    Raises:
        BackboneError: The model has no operation of that name, or its output is no cut:
            what lies above needs other tensors too.
    """
    start = _output(model, layer)
    # Keras makes no model without a layer, so nothing above the cut is an identity.
    if start is model.outputs[0]:
        same = keras.Input(start.shape[1:], dtype=start.dtype)
        return keras.Model(same, same, name="suffix")
    try:
        return keras.Model(start, model.outputs[0], name="suffix")
    except ValueError as error:
        raise BackboneError(
            f"The model cannot be cut at {layer}: what lies above needs more than its "
            "output.",
            "Choose one of the structure's cuts.",
        ) from error


def fingerprint(model: keras.Model) -> str:
    """A hash of all weights and of the order of operations: 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for node in ordered_nodes(model):
        operation = node.operation
        digest.update(f"{type(operation).__name__} {operation.name}\n".encode())
        # Shape and type as well: the same bytes may be another array.
        for variable in getattr(operation, "weights", ()):
            value = np.ascontiguousarray(variable)
            digest.update(f"{value.shape} {value.dtype}\n".encode())
            digest.update(value.data)
    return digest.hexdigest()


@contextlib.contextmanager
def _python_seed(seed: int) -> Iterator[None]:
    """Initializers without a seed draw theirs from Python's generator; its state is
    put back afterwards.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


def ordered_nodes(model: keras.Model) -> list[Any]:
    """The nodes of the model's own graph, each after those that it reads.

    A layer has further nodes in the models it is shared with, so `layer.output` is not
    to be relied on; only the tensors' history tells.
    """
    source = model.inputs[0]
    ordered: dict[int, Any] = {}
    pending = [model.outputs[0]]
    while pending:
        node = _node(pending[-1])
        inputs = [] if pending[-1] is source else node.input_tensors
        # Depth first without recursion: the deepest networks have a thousand layers,
        # more than Python's stack takes.
        unseen = [t for t in inputs if id(_node(t)) not in ordered]
        if unseen:
            pending.append(unseen[0])
        else:
            ordered.setdefault(id(node), node)
            pending.pop()
    return list(ordered.values())


def _node(tensor: Any) -> Any:
    operation, index, _ = tensor._keras_history
    return operation._inbound_nodes[index]


def _operations(nodes: list[Any]) -> list[blocks.Operation]:
    position = {id(node): i for i, node in enumerate(nodes)}
    return [
        blocks.Operation(
            name=node.operation.name,
            has_weights=bool(getattr(node.operation, "weights", ())),
            inputs=tuple(
                position[id(_node(tensor))]
                for tensor in (node.input_tensors if i else ())
            ),
        )
        for i, node in enumerate(nodes)
    ]


def _layer(node: Any, block: str) -> Layer:
    operation = node.operation
    # Not `trainable_weights`: those are none in a layer that is frozen already.
    parameters = _size(getattr(operation, "_trainable_variables", ()))
    return Layer(
        name=operation.name,
        kind=type(operation).__name__,
        block=block,
        parameters=parameters,
        statistics=_size(getattr(operation, "weights", ())) - parameters,
        multiply_adds=_multiply_adds(node),
    )


def _multiply_adds(node: Any) -> int:
    """Each weight of a kernel is used once at every place of the output."""
    weights = getattr(node.operation, "weights", ())
    # A bias or a scale is one addition or product to an output: nothing beside a
    # kernel.
    kernels = _size(one for one in weights if len(one.shape) >= 2)
    return kernels * int(math.prod(node.outputs[0].shape[1:-1]))


def _size(variables: Any) -> int:
    return sum(int(math.prod(variable.shape)) for variable in variables)


def _output(model: keras.Model, layer: str) -> Any:
    for node in ordered_nodes(model):
        if node.operation.name == layer:
            return node.outputs[0]
    raise BackboneError(f"{model.name} has no layer {layer!r}.")
