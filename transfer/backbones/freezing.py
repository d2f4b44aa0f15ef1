"""Which layers train: the plan in words, and what it comes to in a given backbone."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from transfer.backbones.structure import Cut, Layer, Structure
from transfer.errors import FreezeError

_FORMS = "`all`, `none`, `last:N`, `blocks:A,B` or `layers:A,B`"


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A plan on one backbone, and what it comes to; `head_parameters` come on top.

    Attributes:
        structure: The backbone.
        plan: The plan, as it was given.
        trainable_layers: Names of the layers that train, from input to output. Of a
            BatchNorm layer only scale and offset train.
        cut: The last cut below which everything is frozen: the output if nothing
            trains, the input if nothing that could train lies below.
        trainable_parameters: Number of weights that train.
        frozen_parameters: Number of weights that stay, BatchNorm's statistics included.
    """

    structure: Structure
    plan: "FreezePlan"
    trainable_layers: tuple[str, ...]
    cut: Cut
    trainable_parameters: int
    frozen_parameters: int

    @cached_property
    def trains(self) -> frozenset[str]:
        """The names of the layers that train, to look one up."""
        return frozenset(self.trainable_layers)

    @cached_property
    def training_blocks(self) -> tuple[str, ...]:
        """Names of the blocks of which any layer trains, from input to output."""
        return tuple(
            name
            for name, layers in self.structure.blocks.items()
            if any(layer.name in self.trains for layer in layers)
        )


@dataclass(frozen=True)
class FreezePlan:
    """What trains besides the head.

    Attributes:
        kind: `all` or `none` are frozen; the `last` blocks, named `blocks` or single
            `layers` train.
        names: Names of blocks or layers.
        count: Number of blocks of `last`.
    """

    kind: Literal["all", "none", "last", "blocks", "layers"]
    names: tuple[str, ...] = ()
    count: int = 0

    @classmethod
    def parse(cls, text: str) -> "FreezePlan":
        """The plan in the words of the command line; `str` gives them back.

        Args:
            text: `all`, `none`, `last:N`, `blocks:A,B` or `layers:A,B`.

        Raises:
            FreezeError: The text is none of these.
        """
        kind, _, rest = text.strip().partition(":")
        # Written twice, a name counts once; the order stays, for it is shown again.
        names = tuple(dict.fromkeys(n.strip() for n in rest.split(",") if n.strip()))
        if kind in ("all", "none") and not rest:
            return cls("all" if kind == "all" else "none")
        if kind == "last":
            return cls("last", count=_count(rest))
        if kind in ("blocks", "layers") and names:
            return cls("blocks" if kind == "blocks" else "layers", names)
        raise FreezeError(
            f"The freeze plan {text!r} was not understood: expected {_FORMS}."
        )

    def __str__(self) -> str:
        if self.kind == "last":
            return f"last:{self.count}"
        return f"{self.kind}:{','.join(self.names)}" if self.names else self.kind

    def resolve(self, structure: Structure) -> Resolved:
        """What the plan comes to in this backbone.

        Raises:
            FreezeError: It names blocks or layers that the backbone does not have, or
            that have nothing to train.
        """
        # A layer without parameters can be named by its block, but there is nothing in
        # it that could train.
        chosen = self._names_of_layers(structure)
        trains = [layer for layer in structure.layers if _trains(layer, chosen)]
        parameters = sum(layer.parameters for layer in trains)
        # Statistics of BatchNorm count as frozen whatever trains: they always are.
        total = sum(one.parameters + one.statistics for one in structure.layers)
        return Resolved(
            structure=structure,
            plan=self,
            trainable_layers=tuple(layer.name for layer in trains),
            cut=_cut(structure, trains),
            trainable_parameters=parameters,
            frozen_parameters=total - parameters,
        )

    def _names_of_layers(self, structure: Structure) -> set[str]:
        """Names of all layers that the plan speaks of."""
        everything = {layer.name for layer in structure.layers}
        if self.kind == "all":
            return set()
        if self.kind == "none":
            return everything
        # Single layers on purpose, so no block is completed around them.
        if self.kind == "layers":
            layers = {layer.name: (layer,) for layer in structure.layers}
            _check("layer", self.names, layers, structure)
            return set(self.names)
        blocks = self.names
        if self.kind == "last":
            blocks = _last_blocks(structure, self.count)
        _check("block", blocks, structure.blocks, structure)
        return {one.name for name in blocks for one in structure.blocks[name]}


def in_words(plan: str) -> str:
    """What trains by this plan, in few words that a screen can show.

    Args:
        plan: In the words of the command line; others are given back as they are.
    """
    kind, _, rest = plan.partition(":")
    if kind == "last":
        return "last block" if rest == "1" else f"last {rest} blocks"
    if kind in ("blocks", "layers"):
        names = rest.count(",") + 1
        return f"{rest} only" if names == 1 else f"{names} {kind}"
    return {"all": "head only", "none": "everything"}.get(kind, plan)


def head_parameters(kind: str, structure: Structure, num_classes: int) -> int:
    """Number of weights of the new head, which always train.

    Args:
        kind: As `TrainConfig.head`.
        structure: The backbone below it.
        num_classes: Number of classes.
    """
    # The head stands on the pooled last feature map, so only channels matter.
    channels = structure.cuts[-1].shape[-1]
    if kind == "linear":
        return (channels + 1) * num_classes
    return (channels + 1) * 1024 + (1024 + 1) * num_classes


def trainable_blocks(structure: Structure) -> tuple[str, ...]:
    """Names of the blocks that have anything to train, from input to output."""
    return tuple(
        name
        for name, layers in structure.blocks.items()
        if any(layer.parameters for layer in layers)
    )


def _trains(layer: Layer, chosen: set[str]) -> bool:
    return layer.name in chosen and layer.parameters > 0


def _cut(structure: Structure, trains: list[Layer]) -> Cut:
    if not trains:
        return structure.cuts[-1]
    # The cut must lie below the first layer that trains: above it, features would go
    # stale with the first step.
    first = structure.layers.index(trains[0])
    if not any(layer.parameters for layer in structure.layers[:first]):
        # Scaled pixels are four times the size of pixels and save no time worth it.
        return structure.cuts[0]
    return [cut for cut in structure.cuts if cut.index < first][-1]


def _count(text: str) -> int:
    if text.strip().isdecimal() and int(text) >= 1:
        return int(text)
    raise FreezeError(
        f"last:{text} is not a number of blocks: expected last:1 or more.",
        "To train the head alone, use `all`.",
    )


def _last_blocks(structure: Structure, count: int) -> tuple[str, ...]:
    blocks = trainable_blocks(structure)
    if count > len(blocks):
        raise FreezeError(
            f"last:{count} is more than the {len(blocks)} blocks of "
            f"{structure.backbone}.",
            "To train everything, use `none`.",
        )
    return blocks[-count:]


def _check(
    kind: str,
    names: Iterable[str],
    known: Mapping[str, tuple[Layer, ...]],
    structure: Structure,
) -> None:
    """Every name is known and has something to train."""
    for name in names:
        if name not in known:
            # A backbone may have hundreds of layers: the few that look alike help, the
            # whole list does not.
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            listed = ", ".join(near or [*known][:3] + ["…"])
            raise FreezeError(
                f"{structure.backbone} has no {kind} {name!r}, but {len(known)} "
                f"others: {listed}.",
                "The model page shows all blocks and layers.",
            )
        if not any(layer.parameters for layer in known[name]):
            raise FreezeError(
                f"There is nothing to train in {name}: it has no parameters.",
                f"Choose a {kind} that has some.",
            )
