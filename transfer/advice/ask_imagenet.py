"""Asks a source model about the images of a dataset: its own head on their features."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer.advice import imagenet_names, probes
from transfer.advice.imagenet_names import ClassNames, Name, SourceNames
from transfer.backbones import catalogue, graph, imagenet, source_head
from transfer.classifier import model
from transfer.datasets.revision import Image, Revision, Split
from transfer.errors import DatasetError, StorageError
from transfer.features.extract import Extractor, Progress
from transfer.features.views import View

#: Images that are asked about, of each class its share. The images of test stay unseen:
#: whoever reads the answers chooses settings by them.
MOST: dict[Split, int] = {"train": 4_000, "val": 1_000}
#: Names that are told of each class.
_NAMES = 4


class _Answers(NamedTuple):
    """What the source model says of images, an entry for each.

    Attributes:
        hashes: SHA-256 of the image.
        labels: Label index of its class.
        in_val: Whether it is one of val.
        named: Position of the likeliest class of ImageNet.
        sure: Probability of that one, in [0, 1].
    """

    hashes: NDArray[np.str_]
    labels: NDArray[np.int64]
    in_val: NDArray[np.bool_]
    named: NDArray[np.int64]
    sure: NDArray[np.float32]


def ask(
    revision: Revision, name: str, log: Callable[[str], None], progress: Progress
) -> SourceNames:
    """What the source model calls the images of each class, kept for the next time.

    The features are those of a run with this backbone at its own image size: kept ones
    are read, and new ones are kept for it.

    Args:
        revision: The dataset.
        name: Of a backbone in the catalogue.
        log: Takes lines that say what is done.
        progress: Called with the number of images done and of all.

    Raises:
        BackboneError: There is no such backbone, or its source model does not end in
            one layer on pooled features.
        WeightsError: Its weights cannot be had.
        DatasetError: There are no training images.
        ImageError: An image cannot be read.
    """
    train, val = (_choose(revision, split) for split in ("train", "val"))
    if not train:
        raise DatasetError(f'The dataset "{revision.title}" has no training images.')
    # Before the backbone is built: it may say that there is nothing to ask.
    kernel, bias = source_head.whole_layer(catalogue.get(name))
    # In one cell, which is what the kernel was trained on.
    pooled = model.add_pooling(graph.build(name, weights="imagenet"), (1, 1))
    exact = Extractor(pooled, ["pooling"], name, log, rendering=revision.rendering)
    # A run computes train in bfloat16 where that is faster, and val never.
    quick = exact.in_bfloat16() if exact.is_faster_in_bfloat16() else exact
    of = len(train) + len(val)
    features = [
        _features(quick, train, lambda done, _: progress(done, of)),
        _features(exact, val, lambda done, _: progress(len(train) + done, of)),
    ]
    images, logits = [*train, *val], np.concatenate(features) @ kernel + bias
    answers = _Answers(
        np.array([image.sha256 for image in images]),
        np.array([image.label for image in images]),
        np.array([image.split == "val" for image in images]),
        logits.argmax(-1),
        1 / np.exp(logits - logits.max(-1, keepdims=True)).sum(-1),
    )
    found = _summarise(revision, name, answers)
    imagenet_names.keep(revision, found)
    return found


def _choose(revision: Revision, split: Split) -> list[Image]:
    """The images of a split that are asked about."""
    images = revision.of_split(split)
    labels = np.array([image.label for image in images], np.int32)
    chosen = probes.stratified_sample(labels, MOST[split], revision.seed)
    return [images[position] for position in chosen]


def _features(
    extractor: Extractor, images: Sequence[Image], progress: Progress
) -> NDArray[np.float32]:
    """Pooled features `(images, channels)`, from the cache or computed."""
    views = [View(image.sha256) for image in images]
    with suppress(StorageError):  # the disk is full, so they are not kept
        extractor.compute({"pooling": views}, progress)
    return extractor.read("pooling", views).astype(np.float32)


def _summarise(revision: Revision, name: str, answers: _Answers) -> SourceNames:
    translated, guessed = _translate(answers, len(revision.class_names))
    return SourceNames(
        backbone=name,
        images=len(answers.labels),
        translated=translated,
        guessed=guessed,
        classes=tuple(
            _of_class(class_name, answers, answers.labels == label)
            for label, class_name in enumerate(revision.class_names)
            if (answers.labels == label).any()
        ),
    )


def _translate(
    answers: _Answers, num_classes: int
) -> tuple[float | None, float | None]:
    """See `SourceNames.translated` and `SourceNames.guessed`."""
    val = answers.in_val
    if not val.any():
        return None, None
    counts = np.zeros((len(imagenet.titles()), num_classes), np.int64)
    np.add.at(counts, (answers.named[~val], answers.labels[~val]), 1)
    # A name that no training image got stands for nothing.
    meaning = np.where(counts.any(1), counts.argmax(1), -1)
    right = meaning[answers.named[val]] == answers.labels[val]
    largest = counts.sum(0).argmax()
    return float(right.mean()), float((answers.labels[val] == largest).mean())


def _of_class(
    class_name: str, answers: _Answers, members: NDArray[np.bool_]
) -> ClassNames:
    """What is said of one class.

    Args:
        class_name: The class.
        answers: Of all images.
        members: Which of them are of the class.
    """
    own = imagenet.find(class_name)
    named, sure = answers.named[members], answers.sure[members]
    hashes, titles = answers.hashes[members], imagenet.titles()

    def name(position: int, image: int) -> Name:
        share = float(np.mean(named == position))
        return Name(titles[position], share, str(hashes[image]), float(sure[image]))

    # Of two that are as frequent, the one whose class comes first in ImageNet.
    often = np.argsort(-np.bincount(named, minlength=len(titles)), kind="stable")
    different = len(np.unique(named))
    least = int(sure.argmin())
    return ClassNames(
        class_name=class_name,
        images=len(named),
        own="" if own is None else titles[own],
        right=None if own is None else float(np.mean(named == own)),
        unsure=float(np.mean(sure < 0.5)),
        different=different,
        names=tuple(
            name(int(one), int(np.where(named == one, sure, -1).argmax()))
            for one in often[: min(_NAMES, different)]
        ),
        doubtful=name(int(named[least]), least),
    )
