"""Tries freeze depths: a short training of each, on features of one common pass."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from transfer import classifier, depths, probes, training
from transfer.backbones import catalogue, graph
from transfer.callbacks import Listener
from transfer.candidates import MOST_IMAGES
from transfer.config import TrainConfig
from transfer.datasets.revision import Image, Revision, Split
from transfer.depths import Depth
from transfer.errors import DatasetError, StorageError
from transfer.features.extract import Extractor
from transfer.features.views import View
from transfer.freezing import FreezePlan, Resolved

#: Share of the images that accuracy is measured on; they learn nothing.
_VAL_SHARE = 0.4
_HEAD_EPOCHS, _FINE_TUNE_EPOCHS = 2, 4

Progress = Callable[..., None]


def sweep(
    revision: Revision,
    backbone: str,
    weights: str,
    image_size: int | None,
    progress: Progress,
) -> Iterator[Depth]:
    """The depths one by one, from all frozen on.

    Args:
        revision: The dataset; at most 1,000 images of train and val are looked at.
        backbone: Name in the catalogue.
        weights: Where its parameters come from.
        image_size: Height and width in pixels; `None` is the backbone's own.
        progress: Called with `phase`, and `step` and `steps` where there are some.

    Raises:
        BackboneError: The backbone is not in the catalogue, or cannot take this size.
        DatasetError: There are too few images.
    """
    small = subset(revision)
    config = TrainConfig.checked(
        dataset=revision.dataset,
        revision=revision.id,
        backbone=backbone,
        weights=weights,
        image_size=image_size,
        head_epochs=_HEAD_EPOCHS,
        fine_tune_epochs=_FINE_TUNE_EPOCHS,
        precision="float32",
    )
    tried = _prepare(config, small, progress)
    train_images = len(revision.of_split("train"))
    for number, (plan, resolved, blocks) in enumerate(tried, 1):
        progress(depth=number, depths=len(tried), phase=str(plan))
        one = config.model_copy(update={"freeze": str(plan)})
        yield _depth(one, resolved, blocks, small, train_images)


def subset(revision: Revision) -> Revision:
    """The revision with at most 1,000 images of its train and val.

    Raises:
        DatasetError: There are fewer than two classes or ten images to learn from.
    """
    most_val = round(MOST_IMAGES * _VAL_SHARE)
    train, val = revision.of_split("train"), revision.of_split("val")
    if not val:
        train, val = _divided(train, revision.seed)
    chosen = _some(train, MOST_IMAGES - most_val, "train", revision.seed)
    chosen += _some(val, most_val, "val", revision.seed)
    learnt = {image.label for image in chosen if image.split == "train"}
    if len(learnt) < 2 or len(chosen) < 2 * probes.FOLDS:
        raise DatasetError(
            f"{revision.dataset} has {len(chosen)} images of {len(learnt)} classes in "
            "train and val, which is too few to compare depths.",
            f"It takes {2 * probes.FOLDS} images and two classes at least.",
        )
    return replace(revision, images=tuple(chosen))


def _divided(
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


def _prepare(
    config: TrainConfig, small: Revision, progress: Progress
) -> list[tuple[FreezePlan, Resolved, int]]:
    """The plans, what each comes to, and how many blocks train;
    features at all cuts are then in the cache.

    One pass and one engine serve all of them: the trainings find every feature kept.
    """
    size = config.image_size or catalogue.get(config.backbone).native_size
    model = graph.build(
        config.backbone,
        weights=config.weights,
        image_size=(size, size),
        seed=config.seed,
    )
    structure = graph.structure(model, config.backbone)
    tried = [
        (plan, plan.resolve(structure), blocks)
        for plan, blocks in depths.plans(structure)
    ]
    cuts = [one.cut.layer for _, one, _ in tried if one.trainable_layers]
    layers = ["pooling", *dict.fromkeys(cuts)]
    extractor = Extractor(classifier.pooled(model), layers, config.backbone, _quiet)
    views = [View(image.sha256) for image in small.images]

    def told(done: int, of: int) -> None:
        progress(depth=0, depths=len(tried), phase="features", step=done, steps=of)

    with suppress(StorageError):  # then each training computes what it needs
        extractor.compute(dict.fromkeys(layers, views), told)
    return tried


def _depth(
    config: TrainConfig,
    resolved: Resolved,
    blocks: int,
    small: Revision,
    train_images: int,
) -> Depth:
    """A short training at one depth."""
    start, clock = time.perf_counter(), _Clock()
    trained = training.train(config, small, clock)
    val = len(small.of_split("val"))
    right = round(trained.best.accuracy * val)
    low, high = probes.interval(right, val)
    return Depth(
        freeze=config.freeze,
        blocks=blocks,
        cut=resolved.cut.layer,
        trainable_parameters=trained.trainable_parameters,
        images=val,
        accuracy=right / val,
        low=low,
        high=high,
        epoch_seconds=train_images / clock.images_per_second,
        seconds=time.perf_counter() - start,
    )


class _Clock(Listener):
    """Keeps the speed of the last epoch; that of the first is that of the tracing."""

    images_per_second = 1.0

    def epoch(self, phase: str, epoch: int, values: Mapping[str, float]) -> None:
        """See `Listener.epoch`."""
        self.images_per_second = values.get("images_per_second", 1.0)


def _quiet(_: Any) -> None:
    """Lines for the log of a run, of which there is none."""
