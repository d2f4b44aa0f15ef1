"""Examines a dataset: looks and features of all images once, then every finding."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transfer.classifier import closed_form, sight
from transfer.classifier.sight import LAYER
from transfer.datasets import scratch
from transfer.datasets.decoding import Resizing
from transfer.datasets.ingest import hearing
from transfer.datasets.revision import Revision
from transfer.doctor import (
    classes,
    copies,
    group_table,
    groups,
    labels,
    name_groups,
    pictures,
    shortcuts,
    similar,
)
from transfer.doctor.finding import Finding, surest_first
from transfer.doctor.one_look import Looks
from transfer.features.extract import Extractor
from transfer.features.views import View

#: Images whose features are read at a time.
_PIECE = 4096

#: Gives what hears how far a stage is, by its name.
Tell = Callable[[str], Callable[[int, int], None]]
#: Name of a backbone, where its weights come from, and how pictures are resized for it.
Seeing = tuple[str, str, Resizing]


def examine(
    revision: Revision,
    looked: Callable[[], Looks],
    folder: Path,
    seeing: Seeing,
    table: tuple[Path, str] | None,
    tell: Tell,
) -> list[Finding]:
    """All that may be wrong with a dataset, the surest first; see `begin.examine`.

    Args:
        revision: The dataset.
        looked: Waits for the looks at its images.
        folder: Where files go that are needed meanwhile.
        seeing: Backbone, source and resizing, as there.
        table: As there.
        tell: Gives what hears how far a stage is.
    """
    given = group_table.read(*table, revision.images) if table else None
    backbone, source, resizing = seeing
    exact = sight.see_with(backbone, source, revision.rendering, resizing)
    if revision.kind == "sounds":
        features = features_of(revision, exact, folder, tell("features"))
        return surest_first(_listen(revision, features, given, folder, tell))
    hashes = [image.sha256 for image in revision.images]
    sight.prepare(exact, hashes)
    seen = looked()
    found = pictures.findings(revision, seen)
    readable = [at for at in range(len(seen.rows)) if at not in seen.unreadable]
    if len(readable) < len(seen.rows):
        # What cannot be read has no features, and was found already.
        images = tuple(revision.images[at] for at in readable)
        revision = replace(revision, images=images)
        seen = seen.keep_only(np.array(readable, np.int64))
        given = None if given is None else given[readable]
    features = features_of(revision, exact, folder, tell("features"))
    found += _compare(revision, seen, features, given, folder, tell)
    return surest_first(found)


def _listen(
    revision: Revision,
    features: NDArray[np.float16],
    groups_given: NDArray[np.int64] | None,
    folder: Path,
    tell: Tell,
) -> list[Finding]:
    """What is found in sounds: torn groups, doubtful labels, what was passed over.

    What is looked for in pictures, such as blur and copies, means nothing in
    spectrograms; what is silent or overdriven was named by the import.
    """
    labels_given = np.array([image.label for image in revision.images], np.int32)
    head = closed_form.fit(features, labels_given, len(revision.class_names))
    recordings = (hearing.recording_of(image.path) for image in revision.images)
    cut_from = name_groups.number(recordings)
    near, strength = similar.project(features, folder), head.solution.strength
    return [
        *pictures.passed_over(revision),
        *copies.passed_over(revision),
        *groups.findings(revision, features, near, cut_from, strength, groups_given),
        *_doubt_labels(revision, features, head, folder, tell),
    ]


def _compare(
    revision: Revision,
    seen: Looks,
    features: NDArray[np.float16],
    groups_given: NDArray[np.int64] | None,
    folder: Path,
    tell: Tell,
) -> list[Finding]:
    """What is found by comparing: copies, torn groups, shortcuts, doubtful labels."""
    given = np.array([image.label for image in revision.images], np.int32)
    near = similar.project(features, folder)
    # Beside each other, for neither keeps all cores at work.
    with ThreadPoolExecutor(1) as beside:
        fitting = beside.submit(
            closed_form.fit, features, given, len(revision.class_names)
        )
        short = beside.submit(shortcuts.findings, revision, seen)
        pairs = copies.find(near, seen.greys, given, tell("copies"), tell("neighbours"))
        head, found = fitting.result(), short.result()
    clusters = copies.clusters(pairs, len(given))
    found += copies.findings(revision, pairs)
    strength = head.solution.strength
    found += groups.findings(revision, features, near, clusters, strength, groups_given)
    return found + _doubt_labels(revision, features, head, folder, tell)


def _doubt_labels(
    revision: Revision,
    features: NDArray[np.float16],
    head: closed_form.Fit,
    folder: Path,
    tell: Tell,
) -> list[Finding]:
    """Labels and classes that the other images contradict."""
    given = np.array([image.label for image in revision.images], np.int32)
    probabilities = labels.probabilities_left_out(
        head, features, given, len(revision.class_names), tell("labels"), folder
    )
    found = labels.findings(revision, probabilities)
    return found + classes.findings(revision, probabilities)


def features_of(
    revision: Revision, exact: Extractor, folder: Path, tell: Callable[[int, int], None]
) -> NDArray[np.float16]:
    """Pooled features `(images, channels)`, float16, in a file of the folder.

    Those of 100,000 images would take 500 MB of memory; so they take what is free.

    Args:
        revision: The dataset; all its images can be read.
        exact: What looks at them, see `sight.see_with`.
        folder: Where the file goes.
        tell: Takes the number of images that are done, and of all.
    """
    hashes = [image.sha256 for image in revision.images]
    extractor = sight.soonest(exact, hashes)
    views = [View(sha256) for sha256 in dict.fromkeys(hashes)]
    extractor.compute({LAYER: views}, tell)
    extractor.release()
    shape = len(hashes), *extractor.tensors[LAYER].shape
    rows = scratch.array(folder, "features", np.float16, shape)
    for start in range(0, len(hashes), _PIECE):
        piece = [View(sha256) for sha256 in hashes[start : start + _PIECE]]
        rows[start : start + _PIECE] = extractor.read(LAYER, piece)
        scratch.forget(rows)
    return rows
