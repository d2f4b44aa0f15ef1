"""Tries freeze depths: a short training of each, on features of one common pass."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer.advice import depths, probes
from transfer.advice.candidates import MOST_IMAGES
from transfer.advice.depths import Depth
from transfer.backbones.freezing import FreezePlan
from transfer.backbones.structure import Structure
from transfer.config import TrainConfig
from transfer.datasets.revision import Image, Revision, Split
from transfer.errors import DatasetError
from transfer.evaluation import intervals
from transfer.training import trials
from transfer.training.best import Best
from transfer.training.listener import Listener

#: Share of the images that accuracy is measured on; they learn nothing.
_VAL_SHARE = 0.4
_HEAD_EPOCHS, _FINE_TUNE_EPOCHS = 2, 3

Progress = Callable[..., None]


def sweep(
    revision: Revision, settings: Mapping[str, Any], progress: Progress
) -> Iterator[Depth]:
    """The depths one by one, from all frozen on.

    Args:
        revision: The dataset; at most 1,000 images of train and val are looked at.
        settings: `backbone`, `weights`, `image_size`, `resizing` and `class_weights`,
            as in `TrainConfig`.
        progress: Called with `depth`, `depths`, `phase`, and `step` and `steps` where
            there are some.

    Raises:
        ConfigError: A setting is out of its limits.
        BackboneError: The backbone is not in the catalogue, or cannot take this size.
        DatasetError: There are too few images.
    """
    small, clock = subset(revision), _Clock(progress)
    config = TrainConfig.of(
        dataset=revision.dataset,
        revision=revision.id,
        **settings,
        head_epochs=_HEAD_EPOCHS,
        fine_tune_epochs=_FINE_TUNE_EPOCHS,
        # No pass in both precisions to compare them, for so few images.
        precision="float32",
    )
    tried: list[tuple[FreezePlan, int]] = []

    def plans(structure: Structure) -> list[FreezePlan]:
        tried.extend(depths.plans(structure))
        clock.depths = len(tried)
        return [plan for plan, _ in tried]

    val = np.array([image.label for image in small.of_split("val")], np.int32)
    for one in trials.train_depths(config, small, plans, clock):
        plan, blocks = tried[clock.depth]
        accuracy, low, high = _interval(one.best, val)
        clock.depth += 1
        yield Depth(
            freeze=str(plan),
            blocks=blocks,
            cut=one.resolved.cut.layer,
            trainable_parameters=one.trainable_parameters,
            images=len(val),
            accuracy=accuracy,
            low=low,
            high=high,
            epoch_seconds=len(revision.of_split("train")) / clock.images_per_second,
            seconds=one.seconds,
        )


def _interval(best: Best, labels: NDArray[np.int32]) -> intervals.Interval:
    """What an epoch reached on images of these labels, by the measure that it follows.

    Balanced accuracy is as certain as the accuracy on so many images of classes of one
    size; how many, the variance of the mean of the classes' shares tells.
    """
    counts = np.bincount(labels)
    counts = counts[counts > 0]
    images = (
        len(labels)
        if best.follows == "accuracy"
        else (len(counts) ** 2 / np.sum(1 / counts))
    )
    value = getattr(best, best.follows)
    return intervals.wilson(value * images, images)


def subset(revision: Revision) -> Revision:
    """The revision with at most 1,000 images of its train and val.

    Raises:
        DatasetError: There are fewer than two classes or ten images to learn from.
    """
    most_val = round(MOST_IMAGES * _VAL_SHARE)
    train, val = revision.of_split("train"), revision.of_split("val")
    if not val:
        # Pictures of train stand in: they learn nothing then.
        train, val = _divide(train, revision.seed)
    chosen = _some(train, MOST_IMAGES - most_val, "train", revision.seed)
    # Of every class its share, so that accuracy is of the same mixture as in a run.
    chosen += _some(val, most_val, "val", revision.seed)
    learnt = {image.label for image in chosen if image.split == "train"}
    if len(learnt) < 2 or len(chosen) < 2 * probes.FOLDS:
        raise DatasetError(
            f"{revision.title} has {len(chosen)} examples of {len(learnt)} classes in "
            "train and val, which is too few to compare depths.",
            f"It takes {2 * probes.FOLDS} examples and two classes at least.",
        )
    return replace(revision, images=tuple(chosen))


def _divide(
    train: tuple[Image, ...], seed: int
) -> tuple[tuple[Image, ...], tuple[Image, ...]]:
    """Training images as two parts, every class divided alike."""
    labels = np.array([image.label for image in train], np.int32)
    held = probes.stratified_sample(labels, round(len(train) * _VAL_SHARE), seed)
    is_held = np.isin(np.arange(len(train)), held)
    parts = zip(train, is_held, strict=True)
    both: tuple[list[Image], list[Image]] = [], []
    for image, held_back in parts:
        both[int(held_back)].append(image)
    return tuple(both[0]), tuple(both[1])


def _some(images: tuple[Image, ...], most: int, split: Split, seed: int) -> list[Image]:
    labels = np.array([image.label for image in images], np.int32)
    chosen = probes.stratified_sample(labels, most, seed)
    return [replace(images[position], split=split) for position in chosen]


class _Clock(Listener):
    """Tells of progress, and keeps the speed of the last epoch: that of the first is
    the tracing's.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.images_per_second = 1.0
        self.depth = self.depths = 0

    def progress(self, **values: Any) -> None:
        """See `Listener.progress`."""
        self._progress(depth=self.depth, depths=self.depths, **values)

    def epoch(self, phase: str, epoch: int, values: Mapping[str, float]) -> None:
        """See `Listener.epoch`."""
        self.images_per_second = values.get("images_per_second", 1.0)
