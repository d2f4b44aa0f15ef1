"""Freeze plans as they are edited: presets, clicks on blocks, and what to mind."""

from collections.abc import Collection

from transfer.backbones.freezing import FreezePlan, Resolved, trainable_blocks
from transfer.backbones.structure import Structure

#: A rule of thumb: with more parameters to an image than this, what trains can learn
#: the images by heart long before it has learnt the classes.
MANY_PER_IMAGE = 1000


def shortest_plan(structure: Structure, layers: Collection[str]) -> FreezePlan:
    """The shortest plan that trains exactly these layers.

    Args:
        structure: The backbone.
        layers: Names of layers; those without parameters make no difference.
    """
    # Layers without parameters would make equal plans look different.
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
    # Some layer trains beside whole blocks, so only single names tell it.
    if len(trains) > len(_layers_of(structure, whole)):
        return FreezePlan("layers", tuple(trains))
    if whole == trainable_blocks(structure)[-len(whole) :]:
        return FreezePlan("last", count=len(whole))
    return FreezePlan("blocks", whole)


def last_block(structure: Structure) -> FreezePlan:
    """The plan that trains the last block that has anything to train."""
    return shortest_plan(
        structure, _layers_of(structure, trainable_blocks(structure)[-1:])
    )


def last_stage(structure: Structure) -> FreezePlan:
    """The plan that trains all blocks whose output is as small as the backbone's."""
    # The last stage is what works at the smallest size: there the task is named.
    final = structure.cuts[-1].shape[:-1]
    chosen: set[str] = set()
    for layers in structure.blocks.values():
        end = structure.layers.index(layers[-1])
        # The size of a block is that of the last cut in it; a block without one has the
        # size of the cut below.
        reached = [cut for cut in structure.cuts if cut.index <= end][-1:]
        if reached and reached[0].shape[:-1] == final:
            chosen |= {layer.name for layer in layers}
    return shortest_plan(structure, chosen)


def after_click(before: Resolved, block: str, only: bool) -> FreezePlan:
    """The plan after a click on a block.

    Args:
        before: The plan before the click.
        block: Name of a block that has something to train.
        only: Whether the click turns this block alone over. Otherwise training
            starts at this block, or above it if it started there already.
    """
    structure, trains = before.structure, before.trains
    blocks = trainable_blocks(structure)
    own = _layers_of(structure, (block,))
    if only:
        return shortest_plan(structure, trains - own if trains & own else trains | own)
    # A second click on the first block that trains takes it back: so one can go up and
    # down by clicks alone.
    start = blocks.index(block)
    if trains == _layers_of(structure, blocks[start:]):
        start += 1
    return shortest_plan(structure, _layers_of(structure, blocks[start:]))


def in_part(resolved: Resolved) -> tuple[str, ...]:
    """Names of the blocks of which some layers train and others stay frozen."""
    return tuple(
        name
        for name in resolved.training_blocks
        if _layers_of(resolved.structure, (name,)) - resolved.trains
    )


def lessons(resolved: Resolved, images: int, head: int = 0) -> list[str]:
    """What is unwise about a plan, and why, in words for the user.

    Args:
        resolved: The plan.
        images: Number of training images.
        head: Number of parameters of the head.
    """
    found = []
    if halves := in_part(resolved):
        found.append(
            f"{_list_few(halves)}: a block is cut in half. Its layers learnt to work "
            f"together, and the shortcut around them still adds the frozen half's "
            "output. Nothing is saved either: what is kept ends below the block, at "
            f"{resolved.cut.layer}. Train whole blocks unless you want just this."
        )
    if above := _frozen_above(resolved):
        found.append(
            f"{_list_few(above)}: frozen above a "
            "block that trains. These must be passed through in every epoch all the "
            "same, forwards and backwards, so freezing them saves memory, not time."
        )
    # The head counts too, but alone it is no reason to warn: it must be trained.
    per_image = (resolved.trainable_parameters + head) / max(images, 1)
    if resolved.trains and per_image > MANY_PER_IMAGE:
        found.append(
            f"{per_image:,.0f} trainable parameters to each of {images:,} training "
            "examples: enough to learn them by heart. Watch whether the loss of "
            "val rises while that of train falls; fewer blocks, views or L2-SP help."
        )
    return found


def batch_norms(resolved: Resolved) -> int:
    """Number of BatchNorm layers whose scale and offset train."""
    return sum(
        layer.kind == "BatchNormalization" and layer.name in resolved.trains
        for layer in resolved.structure.layers
    )


def _frozen_above(resolved: Resolved) -> list[str]:
    """Names of the blocks above the first layer that trains of which nothing does."""
    layers = iter(resolved.structure.layers)
    # Goes on behind the first layer that trains; none is left where nothing does.
    any(layer.name in resolved.trains for layer in layers)
    above = {layer.block for layer in layers if layer.parameters}
    above -= set(resolved.training_blocks)
    return [name for name in resolved.structure.blocks if name in above]


def _layers_of(structure: Structure, blocks: Collection[str]) -> set[str]:
    """Names of the layers with parameters of these blocks."""
    return {
        layer.name
        for layer in structure.layers
        if layer.parameters and layer.block in blocks
    }


def _list_few(names: Collection[str]) -> str:
    few = ", ".join([*names][:3])
    return few if len(names) <= 3 else f"{few} and {len(names) - 3} more"
