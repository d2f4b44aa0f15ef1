"""Ranks backbones for a dataset: one pass over some images each, then linear heads."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer.advice import candidates, probes
from transfer.advice.candidates import MOST_IMAGES, Candidate, PassedOver
from transfer.backbones import catalogue
from transfer.classifier import model
from transfer.datasets.decoding import Resizing
from transfer.datasets.renderings import Rendering
from transfer.datasets.revision import Image, Revision
from transfer.errors import DatasetError, WeightsError
from transfer.features import speeds
from transfer.features.extract import Extractor
from transfer.features.views import View

Progress = Callable[..., None]


def rank(
    revision: Revision,
    names: Sequence[str],
    weights: str,
    progress: Progress,
    resizing: Resizing = "stretch",
) -> Iterator[Candidate | PassedOver]:
    """The candidates one by one, those that are known from before at once.

    One whose weights are not to be had is passed over.

    Args:
        revision: The dataset; only its training images are looked at.
        names: Of backbones in the catalogue.
        weights: Where their parameters come from.
        progress: Called with `backbone`, `step` and `steps`.
        resizing: As in `TrainConfig`.

    Raises:
        BackboneError: A name is not in the catalogue.
        DatasetError: There are fewer than two classes or ten training images.
    """
    images = sample(revision)
    for name in names:
        entry = catalogue.get(name)
        kind = weights, entry.native_size, resizing
        if found := candidates.kept_candidate(revision, name, *kind):
            yield found
            continue
        try:
            found = _measure(revision, images, name, weights, progress, resizing)
        # Offline only some weights are here: their backbones are ranked all the same.
        except WeightsError as error:
            yield PassedOver(name, str(error))
            continue
        # At once, so that a ranking which is ended goes on where it was.
        candidates.keep(revision, found, resizing)
        yield found


def sample(revision: Revision) -> list[Image]:
    """The training images that a ranking looks at.

    Raises:
        DatasetError: There are fewer than two classes or ten training images.
    """
    train = revision.of_split("train")
    labels = np.array([image.label for image in train], np.int32)
    if len(train) < 2 * probes.FOLDS or len(np.unique(labels)) < 2:
        raise DatasetError(
            f"{revision.title} has {len(train)} training examples of "
            f"{len(np.unique(labels))} classes, which is too few to compare backbones.",
            f"It takes {2 * probes.FOLDS} examples and two classes at least.",
        )
    chosen = probes.stratified_sample(labels, MOST_IMAGES, revision.seed)
    return [train[position] for position in chosen]


def _measure(
    revision: Revision,
    images: Sequence[Image],
    name: str,
    weights: str,
    progress: Progress,
    resizing: Resizing,
) -> Candidate:
    start = time.perf_counter()
    entry = catalogue.get(name)
    progress(backbone=name, step=0, steps=len(images))
    features = _features(images, name, weights, progress, revision.rendering, resizing)
    labels = np.array([image.label for image in images], np.int32)
    classes = len(revision.class_names)
    probe = probes.cross_validated(features, labels, classes, revision.seed)
    log_me = probes.log_me(features, labels, classes)
    size = entry.native_size
    return Candidate(
        backbone=name,
        weights=weights,
        image_size=size,
        images=len(images),
        accuracy=probe.accuracy,
        low=probe.low,
        high=probe.high,
        log_me=log_me,
        images_per_second=max(speeds.kept_rates(name, (size, size)).values()),
        seconds=time.perf_counter() - start,
        parameters=entry.parameters,
    )


def _features(
    images: Sequence[Image],
    name: str,
    weights: str,
    progress: Progress,
    rendering: Rendering | None,
    resizing: Resizing,
) -> NDArray[np.float32]:
    """Pooled features `(images, channels)`, in float32, from the cache or computed."""
    backbone = model.pooled_backbone(name, weights)
    extractor = Extractor(backbone, ["pooling"], name, _quiet, rendering, resizing)
    # The engines are timed here, so that a candidate's speed is known even if all of
    # its features were in the cache.
    extractor.is_faster_in_bfloat16()
    views = [View(image.sha256) for image in images]

    def tell(done: int, of: int) -> None:
        progress(backbone=name, step=done, steps=of)

    extractor.compute({"pooling": views}, tell)
    return extractor.read("pooling", views).astype(np.float32)


def _quiet(_: Any) -> None:
    """Lines for the log of a run, of which there is none."""
