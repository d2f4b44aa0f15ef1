"""Where to freeze: which depths to try, and what came of each, without Keras."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from transfer.backbones.freezing import FreezePlan, trainable_blocks
from transfer.backbones.structure import Structure
from transfer.datasets.decoding import Resizing
from transfer.datasets.revision import Revision
from transfer.runs.requests import Request

#: Numbers of last blocks that train, where there are so many.
_COUNTS = (0, 1, 2, 4, 6, 8)


@dataclass(frozen=True, kw_only=True)
class Depth:
    """What a short training of some depth came to.

    Attributes:
        freeze: The freeze plan.
        blocks: Number of blocks that train.
        cut: The layer below which everything is frozen.
        trainable_parameters: The head's included.
        images: Number of val images that the accuracy is of.
        accuracy: Best accuracy on them, in [0, 1]; balanced where classes are weighted.
        low: Lower end of its 95 % interval.
        high: Upper end.
        epoch_seconds: Of an epoch of all training images at this depth, once features
            are kept; from the speed that was measured.
        seconds: Of this short training.
    """

    freeze: str
    blocks: int
    cut: str
    trainable_parameters: int
    images: int
    accuracy: float
    low: float
    high: float
    epoch_seconds: float
    seconds: float


def plans(structure: Structure) -> list[tuple[FreezePlan, int]]:
    """The plans to try, from all frozen on, each with its number of blocks that train.

    Six where the backbone has the blocks.
    """
    blocks = len(trainable_blocks(structure))
    counts = _COUNTS if blocks > _COUNTS[-1] else range(min(blocks, 5) + 1)
    return [(_plan(count, blocks), count) for count in counts]


def _plan(count: int, blocks: int) -> FreezePlan:
    # By the names that the form has for the two ends.
    if count == 0:
        return FreezePlan("all")
    return FreezePlan("none") if count == blocks else FreezePlan("last", count=count)


def advise(depths: Iterable[Depth]) -> Depth:
    """The shallowest depth whose interval holds the best accuracy of all.

    Deeper ones take longer and are not better beyond doubt.
    """
    tried = sorted(depths, key=lambda one: one.blocks)
    best = max(one.accuracy for one in tried)
    # Not the best itself: on some hundred val images it is often so by chance.
    return next(one for one in tried if one.high >= best)


def request(
    revision: Revision,
    backbone: str,
    weights: str,
    image_size: int | None,
    class_weights: str = "none",
    resizing: Resizing = "stretch",
) -> Request:
    """A try of the depths of this backbone on this revision."""
    # Weights may be the path of a file, which is too long for a name.
    source = weights.encode()
    named = weights if weights.isalnum() else hashlib.sha256(source).hexdigest()[:8]
    weighted = "" if class_weights == "none" else f"-{class_weights}"
    size = image_size or "native"
    resized = "" if resizing == "stretch" else f"-{resizing}"
    subject = f"{revision.id}-{backbone}-{named}-{size}{weighted}{resized}"
    words = ["sweep", f"--dataset={revision.dataset}", "--revision", revision.id]
    words += ["--backbone", backbone, f"--weights={weights}"]
    words += ["--image-size", str(image_size)] if image_size else []
    words += ["--class-weights", class_weights, "--resizing", resizing]
    return Request("depths", subject, tuple(words), revision.dataset)
