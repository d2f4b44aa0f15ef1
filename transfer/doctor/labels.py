"""Suspected wrong labels: confident learning on answers of heads that never saw them.

Northcutt, Jiang, Chuang 2021, https://doi.org/10.1613/jair.1.12125, by cleanlab.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from numpy.typing import NDArray

from transfer.advice import probes
from transfer.classifier import closed_form
from transfer.classifier.ridge import Part, Rows, parts
from transfer.datasets.revision import Revision
from transfer.doctor.finding import Finding, Remedy, leave_out, show
from transfer.evaluation import intervals

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


def probabilities_by_folds(
    features: Rows,
    labels: Labels,
    num_classes: int,
    seed: int = 0,
    told: Callable[[int, int], None] = lambda done, of: None,
) -> Floats:
    """What heads in closed form say of images that they never saw.

    Args:
        features: `(images, channels)`.
        labels: Label index of each image, `(images,)`.
        num_classes: Number of classes.
        seed: Decides which image is in which fold.
        told: Takes the number of folds that are done, and of all.

    Returns:
        An array `(images, num_classes)` whose rows sum to 1.
    """
    fold = probes.folds(labels, seed)
    answers = np.full((len(labels), num_classes), 1 / num_classes, np.float32)
    for number in range(probes.FOLDS):
        test = np.flatnonzero(fold == number)
        rest = np.flatnonzero(fold != number)
        # With few images a fold may be empty.
        if len(test) and len(np.unique(labels[rest])) > 1:
            head = closed_form.solve(Part(features, rest), labels[rest], num_classes)
            for piece in parts(len(test)):
                some = test[piece]
                answers[some] = softmax(features[some] @ head.kernel + head.bias)
        told(number + 1, probes.FOLDS)
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
    shares = probabilities[:, present].astype(np.float64)
    shares /= shares.sum(1, keepdims=True)
    quality = get_label_quality_scores(compact, shares)
    if len(present) < 2:
        return Suspects(np.empty(0, np.int64), quality)
    found = find_label_issues(
        compact, shares, return_indices_ranked_by="self_confidence", n_jobs=1
    )
    return Suspects(np.asarray(found, np.int64), quality)


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
    for at in doubtful:
        image, answer = revision.images[at], int(probabilities[at].argmax())
        own, better = revision.class_names[image.label], revision.class_names[answer]
        says = (
            f'Labelled "{own}", but a model that has not seen it says "{better}" '
            f"({probabilities[at, answer]:.0%}, and "
            f'{probabilities[at, image.label]:.0%} for "{own}"). '
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
) -> intervals.Interval:
    """How well a head in closed form that learnt from some images tells others."""
    learnt, asked = np.flatnonzero(train), np.flatnonzero(judged)
    head = closed_form.solve(Part(features, learnt), labels[learnt], num_classes)
    hits = 0
    for piece in parts(len(asked)):
        some = asked[piece]
        answers = (features[some] @ head.kernel + head.bias).argmax(1)
        hits += int((answers == labels[some]).sum())
    return intervals.wilson(hits, len(asked))
