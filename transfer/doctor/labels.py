"""Suspected wrong labels: confident learning on answers of heads that never saw them.

Northcutt, Jiang, Chuang 2021, https://doi.org/10.1613/jair.1.12125, by cleanlab.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from cleanlab import count
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from numpy.typing import NDArray

from transfer.classifier import closed_form, ridge
from transfer.classifier.closed_form import Fit
from transfer.classifier.ridge import Part, Rows, read
from transfer.datasets import scratch
from transfer.datasets.revision import Revision
from transfer.doctor.finding import Finding, Remedy, leave_out, show
from transfer.evaluation import intervals

#: Images that cleanlab is given at a time, if two classes have so few: it makes several
#: copies of their probabilities, which of 100,000 images took 440 MB.
_PIECE = 8192

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]


class Suspects(NamedTuple):
    """Images whose labels are in doubt.

    Attributes:
        positions: The images, the most doubtful first.
        quality: Of every image how good its label is, in [0, 1].
    """

    positions: NDArray[np.int64]
    quality: NDArray[np.float64]


def probabilities_left_out(
    found: Fit,
    features: Rows,
    labels: Labels,
    num_classes: int,
    told: Callable[[int, int], None] = lambda done, of: None,
    place: Path | None = None,
) -> Floats:
    """What heads in closed form say of images that they never saw.

    Of each image one that learnt from all others: they follow from the one that learnt
    from all. Five folds took 3.5 times as long, and ranked wrong labels no better.

    Args:
        found: What `closed_form.fit` found in these images.
        features: `(images, channels)`.
        labels: Label index of each image, `(images,)`.
        num_classes: Number of classes.
        told: Takes the number of images that are done, and of all.
        place: Folder for a file of the answers; those of 100,000 images and 200 classes
            would take 80 MB.

    Returns:
        An array `(images, num_classes)` whose rows sum to 1.
    """
    answers = scratch.array(place, "answers", np.float32, (len(labels), num_classes))
    if not found.is_judged:
        answers[:] = 1 / num_classes
    else:
        for rows, logits in closed_form.logits_left_out(found, features, labels):
            answers[rows] = softmax(logits.astype(np.float32))
            scratch.forget(answers)
            told(int(rows[-1]) + 1, len(labels))
    return answers


def softmax(logits: Floats) -> Floats:
    """Probabilities of logits `(images, num_classes)`."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    shares: Floats = powers / powers.sum(1, keepdims=True)
    return shares


def suspect(labels: Labels, probabilities: Floats) -> Suspects:
    """The labels in doubt, as cleanlab has them.

    Args:
        labels: Label index of each image, `(images,)`.
        probabilities: `(images, num_classes)`, of heads that never saw them.
    """
    # Classes without images are unknown to it.
    present, compact = np.unique(labels, return_inverse=True)
    if len(present) < 2:
        return Suspects(np.empty(0, np.int64), np.ones(len(labels)))

    def shares_of(who: NDArray[np.int64]) -> NDArray[np.float64]:
        shares = scratch.gather(probabilities, who)[:, present].astype(np.float64)
        normal: NDArray[np.float64] = shares / shares.sum(1, keepdims=True)
        return normal

    # Whatever cleanlab counts of a class, its own images alone decide; so it gets some
    # classes at a time, and what they have in common from here.
    pieces = [*_some_classes(compact)]
    quality, known = np.empty(len(labels)), np.empty(len(present))
    joint = np.zeros((len(present), len(present)), np.int64)
    is_in_doubt = np.zeros(len(labels), bool)
    for classes, who in pieces:
        given = compact[who], shares_of(who)
        quality[who] = get_label_quality_scores(*given)
        known[classes] = count.get_confident_thresholds(*given)[classes]
    for classes, who in pieces:
        given = compact[who], shares_of(who)
        counted = count.compute_confident_joint(
            *given, thresholds=known, calibrate=False
        )
        joint[classes] = counted[classes]
    joint = count.calibrate_confident_joint(joint, compact)
    with warnings.catch_warnings():
        # That it finds nothing in classes which come in another piece.
        warnings.simplefilter("ignore", UserWarning)
        for _, who in pieces:
            given = compact[who], shares_of(who)
            found = find_label_issues(*given, confident_joint=joint, n_jobs=1)
            is_in_doubt[who] = found
    listed = np.flatnonzero(is_in_doubt)
    return Suspects(listed[np.argsort(quality[listed])], quality)


def _some_classes(
    labels: NDArray[np.int64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Some classes at a time, two at the least, and the positions of their images."""
    pieces: list[list[int]] = [[]]
    images = 0
    for label, own in enumerate(np.bincount(labels)):
        if images >= _PIECE and len(pieces[-1]) > 1:
            pieces.append([])
            images = 0
        pieces[-1].append(label)
        images += int(own)
    if len(pieces) > 1 and len(pieces[-1]) < 2:
        last = pieces.pop()
        pieces[-1] += last
    for classes in pieces:
        yield np.array(classes), np.flatnonzero(np.isin(labels, classes))


def findings(revision: Revision, probabilities: Floats) -> list[Finding]:
    """One finding for each label in doubt.

    Args:
        revision: The dataset.
        probabilities: Of its images, in their order.
    """
    labels = np.array([image.label for image in revision.images], np.int32)
    doubtful, quality = suspect(labels, probabilities)
    # Once, and not for each of what may be tens of thousands.
    counts = Counter(image.split for image in revision.images)
    found = []
    for at, chances in _rows(probabilities, doubtful):
        image, answer = revision.images[at], int(chances.argmax())
        own, better = revision.class_names[image.label], revision.class_names[answer]
        says = (
            f'Labelled "{own}", but a model that has not seen it says "{better}" '
            f'({chances[answer]:.0%}, and {chances[image.label]:.0%} for "{own}"). '
            f"{_effect(image.split, counts[image.split])}"
        )
        move = Remedy(
            does="move",
            says=f'Move it to "{better}"',
            targets={better: (image.sha256,)},
        )
        remedies = move, leave_out([image], "Its label is in doubt.")
        found.append(
            Finding(
                kind="label",
                images=show(revision, [image]),
                certainty=float(1 - quality[at]),
                says=says,
                remedies=remedies,
            )
        )
    return found


def _rows(
    probabilities: Floats, positions: NDArray[np.int64]
) -> Iterator[tuple[int, Floats]]:
    """Positions and their probabilities, of which few are held at a time."""
    for start in range(0, len(positions), _PIECE):
        some = positions[start : start + _PIECE]
        yield from zip(some.tolist(), scratch.gather(probabilities, some), strict=True)


def _effect(split: str, count: int) -> str:
    if split == "train":
        return "If it is wrong, the model learns from it what is not so."
    return (
        f"If it is wrong, it takes {1 / count:.2%} off the accuracy on {split} however "
        "good the model is."
    )


def accuracy(
    features: Rows,
    labels: Labels,
    train: NDArray[np.bool_],
    judged: NDArray[np.bool_],
    num_classes: int,
    strength: float,
) -> intervals.Interval:
    """How well a head in closed form that learnt from some images tells others.

    Args:
        features: `(images, channels)`.
        labels: Label index of each image, `(images,)`.
        train: Which it learns from, `(images,)`.
        judged: Which it is asked about, `(images,)`.
        num_classes: Number of classes.
        strength: Of the regression, as it was found best for all images.
    """
    learnt, asked = np.flatnonzero(train), np.flatnonzero(judged)
    learning = Part(features, learnt), labels[learnt]
    kernel, bias = ridge.solve_at(*learning, num_classes, strength)
    hits = 0
    for some, part in read(Part(features, asked)):
        answers = (part @ kernel + bias).argmax(1)
        hits += int((answers == labels[asked[some]]).sum())
    return intervals.wilson(hits, len(asked))
