"""Freeze plans as they are edited: presets, clicks on blocks, and what to mind."""

from collections.abc import Collection

from transfer.backbones.freezing import FreezePlan, Resolved, trainable_blocks
from transfer.backbones.structure import Layer, Structure

#: A rule of thumb: with more parameters to an image than this, what trains can learn
#: the images by heart long before it has learnt the classes.
MANY_PER_IMAGE = 1000


def described(structure: Structure, layers: Collection[str]) -> FreezePlan:
    """The shortest plan that trains exactly these layers.

    Args:
        structure: The backbone.
        layers: Names of layers; those without parameters make no difference.
    """
    trainable = [layer for layer in structure.layers if layer.parameters]
    trains = [layer.name for layer in trainable if layer.name in layers]
    if not trains:
        return FreezePlan("all")
    if len(trains) == len(trainable):
        return FreezePlan("none")
    whole = tuple(
        name
        for name in trainable_blocks(structure)
        if all(one.name in layers for one in structure.blocks[name] if one.parameters)
    )
    if len(trains) > len(_layers_of(structure, whole)):
        return FreezePlan("layers", tuple(trains))
    if whole == trainable_blocks(structure)[-len(whole) :]:
        return FreezePlan("last", count=len(whole))
    return FreezePlan("blocks", whole)


def last_stage(structure: Structure) -> FreezePlan:
    """The plan that trains all blocks whose output is as small as the backbone's."""
    final = structure.cuts[-1].shape[:-1]
    chosen: set[str] = set()
    for layers in structure.blocks.values():
        end = structure.layers.index(layers[-1])
        reached = [cut for cut in structure.cuts if cut.index <= end][-1:]
        if reached and reached[0].shape[:-1] == final:
            chosen |= {layer.name for layer in layers}
    return described(structure, chosen)


def clicked(
    structure: Structure, plan: FreezePlan, block: str, only: bool
) -> FreezePlan:
    """The plan after a click on a block.

    Args:
        structure: The backbone.
        plan: The plan before the click.
        block: Name of a block that has something to train.
        only: Whether the click turns this block alone over. Otherwise training
            starts at this block, or above it if it started there already.
    """
    blocks = trainable_blocks(structure)
    trains = set(plan.resolve(structure).trainable_layers)
    own = _layers_of(structure, (block,))
    if only:
        return described(structure, trains - own if trains & own else trains | own)
    start = blocks.index(block)
    if trains == _layers_of(structure, blocks[start:]):
        start += 1
    return described(structure, _layers_of(structure, blocks[start:]))


def in_part(structure: Structure, resolved: Resolved) -> tuple[str, ...]:
    """Names of the blocks of which some layers train and others stay frozen."""
    trains = set(resolved.trainable_layers)
    found = []
    for name in trainable_blocks(structure):
        own = _layers_of(structure, (name,))
        if own & trains and own - trains:
            found.append(name)
    return tuple(found)


def lessons(
    structure: Structure, resolved: Resolved, images: int, head: int = 0
) -> list[str]:
    """What is unwise about a plan, and why, in words for the user.

    Args:
        structure: The backbone.
        resolved: What the plan comes to in it.
        images: Number of training images.
        head: Number of parameters of the head.
    """
    found = []
    if halves := in_part(structure, resolved):
        found.append(
            f"{_listed(halves)}: a block is cut in half. Its layers learnt to work "
            f"together, and the shortcut around them still adds the frozen half's "
            "output. Nothing is saved either: what is kept ends below the block, at "
            f"{resolved.cut.layer}. Train whole blocks unless you want just this."
        )
    trains = set(resolved.trainable_layers)
    first = structure.layers.index(_first(structure, trains)) if trains else 0
    above = {
        layer.block
        for layer in structure.layers[first:]
        if layer.parameters and layer.name not in trains
    } - set(halves)
    if trains and above:
        found.append(
            f"{_listed(sorted(above, key=[*structure.blocks].index))}: frozen above a "
            "block that trains. These must be passed through in every epoch all the "
            "same, forwards and backwards, so freezing them saves memory, not time."
        )
    per_image = (resolved.trainable_parameters + head) / max(images, 1)
    if trains and per_image > MANY_PER_IMAGE:
        found.append(
            f"{per_image:,.0f} trainable parameters to each of {images:,} training "
            "images: enough to learn the pictures by heart. Watch whether the loss of "
            "val rises while that of train falls; fewer blocks, views or L2-SP help."
        )
    return found


def batch_norms(structure: Structure, resolved: Resolved) -> int:
    """Number of BatchNorm layers whose scale and offset train."""
    trains = set(resolved.trainable_layers)
    return sum(
        layer.kind == "BatchNormalization" and layer.name in trains
        for layer in structure.layers
    )


def _layers_of(structure: Structure, blocks: Collection[str]) -> set[str]:
    """Names of the layers with parameters of these blocks."""
    return {
        layer.name
        for layer in structure.layers
        if layer.parameters and layer.block in blocks
    }


def _first(structure: Structure, trains: set[str]) -> Layer:
    return next(layer for layer in structure.layers if layer.name in trains)


def _listed(names: Collection[str]) -> str:
    few = ", ".join([*names][:3])
    return few if len(names) <= 3 else f"{few} and {len(names) - 3} more"
