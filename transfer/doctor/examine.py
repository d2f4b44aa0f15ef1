"""Examines a dataset: looks and features of all images once, then every finding."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transfer.backbones import graph, weights
from transfer.classifier import model
from transfer.datasets import scratch
from transfer.datasets.decoding import Resizing
from transfer.datasets.revision import Revision
from transfer.doctor import (
    classes,
    copies,
    group_table,
    groups,
    labels,
    looks,
    pictures,
    shortcuts,
    similar,
)
from transfer.doctor.finding import Finding, surest_first
from transfer.errors import DatasetError
from transfer.features import extract
from transfer.features.extract import Extractor
from transfer.features.views import View

#: What is kept of the backbone.
_LAYER = "pooling"
#: Images whose features are read at a time.
_PIECE = 4096

#: Called with `doing`, `done` and `of`.
Progress = Callable[..., None]


def examine(
    revision: Revision,
    backbone: str = "",
    source: str = "imagenet",
    progress: Progress = lambda **_: None,
    table: tuple[Path, str] | None = None,
    resizing: Resizing = "stretch",
) -> list[Finding]:
    """All that may be wrong with a dataset, the surest first.

    Args:
        revision: The dataset.
        backbone: Name of the one whose features are looked at; the best whose weights
            are at hand if empty.
        source: Where its weights come from, as in `graph.build`.
        progress: Called with `doing`, one of `look`, `features`, `neighbours`, `copies`
            and `labels`, and the numbers `done` and `of`.
        table: A CSV file and its column that has the group of each image.
        resizing: How the pictures are resized for the backbone, as in `TrainConfig`.

    Raises:
        ConfigError: The table has no such column, or knows too few of the images.
        BackboneError: The backbone is not in the catalogue, or has no weights here.
        DatasetError: There is no image.
        StorageError: The disk is full.
    """
    if not revision.images:
        raise DatasetError(f'The dataset "{revision.dataset}" has no images.')

    def tell(doing: str) -> Callable[[int, int], None]:
        return lambda done, of: progress(doing=doing, done=done, of=of)

    given = group_table.read(*table, revision.images) if table else None
    with scratch.folder() as folder:
        hashes = [image.sha256 for image in revision.images]
        seen = looks.look(hashes, revision.grey, folder, tell("look"))
        found = pictures.findings(revision, seen)
        readable = [at for at in range(len(hashes)) if at not in seen.unreadable]
        if len(readable) < len(hashes):
            # What cannot be read has no features, and was found already.
            images = tuple(revision.images[at] for at in readable)
            revision = replace(revision, images=images)
            seen = looks.Looks(seen.rows[readable], {})
            given = None if given is None else given[readable]
        seeing = backbone, source, resizing
        features = features_of(revision, *seeing, folder, tell("features"))
        found += _compare(revision, seen, features, given, tell)
        found += shortcuts.findings(revision, seen)
    return surest_first(found)


def _compare(
    revision: Revision,
    seen: looks.Looks,
    features: NDArray[np.float16],
    groups_given: NDArray[np.int64] | None,
    tell: Callable[[str], Callable[[int, int], None]],
) -> list[Finding]:
    """What features tell: copies, torn groups, labels, classes in each other."""
    given = np.array([image.label for image in revision.images], np.int32)
    near = similar.project(features)
    greys = seen.rows["grey"]
    pairs = copies.find(near, greys, given, tell("copies"), tell("neighbours"))
    clusters = copies.clusters(pairs, len(given))
    found = copies.findings(revision, pairs)
    found += groups.findings(revision, features, near, clusters, groups_given)
    probabilities = labels.probabilities_by_folds(
        features, given, len(revision.class_names), told=tell("labels")
    )
    found += labels.findings(revision, probabilities)
    return found + classes.findings(revision, probabilities)


def _extractor(
    backbone: str,
    source: str,
    resizing: Resizing,
    revision: Revision,
    hashes: Sequence[str],
) -> Extractor:
    """What computes the features: those that a training left, or the quickest."""
    pooled = model.add_pooling(graph.build(backbone, weights=source))
    reading = revision.rendering, resizing
    return extract.kept_or_quickest(pooled, _LAYER, backbone, hashes, *reading)


def features_of(
    revision: Revision,
    backbone: str,
    source: str,
    resizing: Resizing,
    folder: Path,
    tell: Callable[[int, int], None],
) -> NDArray[np.float16]:
    """Pooled features `(images, channels)`, float16, in a file of the folder.

    Those of 100,000 images would take 500 MB of memory; so they take what is free.

    Args:
        revision: The dataset; all its images can be read.
        backbone: As in `examine`.
        source: As in `examine`.
        resizing: As in `examine`.
        folder: Where the file goes.
        tell: Takes the number of images that are done, and of all.
    """
    hashes = [image.sha256 for image in revision.images]
    name = backbone or weights.default_backbone()
    extractor = _extractor(name, source, resizing, revision, hashes)
    views = [View(sha256) for sha256 in dict.fromkeys(hashes)]
    extractor.compute({_LAYER: views}, tell)
    extractor.release()
    shape = len(hashes), *extractor.tensors[_LAYER].shape
    rows = np.memmap(folder / "features", np.float16, "w+", shape=shape)
    for start in range(0, len(hashes), _PIECE):
        piece = [View(sha256) for sha256 in hashes[start : start + _PIECE]]
        rows[start : start + _PIECE] = extractor.read(_LAYER, piece)
    return rows
