"""Classes that are too small, far smaller than others, or lie inside another one."""

import numpy as np
from numpy.typing import NDArray

from transfer.classifier.ridge import read
from transfer.datasets.revision import Revision
from transfer.datasets.wording import WORDS
from transfer.doctor.finding import Finding, Remedy, show
from transfer.evaluation import intervals

#: Images for training below which a class is too small, and in val for it to be judged.
_FEW, _FEW_JUDGED = 20, 10
#: How many times as large the largest class may be.
_UNLIKE = 10.0
#: Images of a class that are shown.
_SHOWN = 12
#: Share of a class's images that are taken for one other class, for it to lie inside.
_INSIDE = 0.5


def findings(revision: Revision, probabilities: NDArray[np.float32]) -> list[Finding]:
    """What is wrong with whole classes.

    Args:
        revision: The dataset.
        probabilities: Of its images, by heads that never saw them.
    """
    return [
        *_few(revision),
        *_imbalance(revision),
        *_inside(revision, probabilities),
    ]


def _few(revision: Revision) -> list[Finding]:
    found, images = [], WORDS[revision.kind].images
    for name, counts in revision.counts().items():
        train, val = counts["train"], counts["val"]
        says = []
        if train < _FEW:
            says.append(
                f'"{name}" has {train} {images} to learn from; from {_FEW} on a class '
                "is mostly learnt, and each one more counts most here."
            )
        if 0 < val < _FEW_JUDGED:
            says.append(
                f'"{name}" has {val} {images} in val: its accuracy is known to '
                f"{_half_width(val):.0%} more or less at best."
            )
        if says:
            short = min(train / _FEW, 1.0) * min(max(val, 1) / _FEW_JUDGED, 1.0)
            certainty = 0.6 + 0.39 * (1 - short)
            label = revision.class_names.index(name)
            own = [image for image in revision.images if image.label == label]
            shown = show(revision, own[:_SHOWN])
            found.append(
                Finding(
                    kind="few", images=shown, certainty=certainty, says=" ".join(says)
                )
            )
    return found


def _half_width(count: int) -> float:
    found = intervals.wilson(count / 2, count)
    return float(found.high - found.low) / 2


def _imbalance(revision: Revision) -> list[Finding]:
    counts = {name: one["train"] for name, one in revision.counts().items()}
    small, large = (
        min(counts, key=counts.__getitem__),
        max(counts, key=counts.__getitem__),
    )
    times = counts[large] / max(counts[small], 1)
    if times < _UNLIKE:
        return []
    says = (
        f'"{large}" has {counts[large]:,} {WORDS[revision.kind].images} to learn from, '
        f'{times:.0f} times as many as "{small}" with {counts[small]:,}. A model leans '
        "towards what there is most of, and the accuracy hides how it does on the "
        "rest: weigh the classes alike in the settings, or look at the accuracy of "
        "each class."
    )
    return [Finding(kind="imbalance", images=(), certainty=0.9, says=says)]


def _inside(revision: Revision, probabilities: NDArray[np.float32]) -> list[Finding]:
    labels = np.array([image.label for image in revision.images])
    answers = np.concatenate([part.argmax(1) for _, part in read(probabilities)])
    found = []
    for label, name in enumerate(revision.class_names):
        own = answers[labels == label]
        taken = np.bincount(own, minlength=len(revision.class_names))
        taken[label] = 0
        other = int(taken.argmax())
        share = intervals.wilson(int(taken[other]), len(own))
        if len(own) < _FEW_JUDGED or share.low < _INSIDE:
            continue
        into = revision.class_names[other]
        says = (
            f'"{name}" lies inside "{into}": a model that has not seen them takes '
            f"{share.value:.0%} of its {WORDS[revision.kind].images} "
            f"({share.low:.0%} to {share.high:.0%}) "
            f'for "{into}". As long as both stand, most of "{name}" counts as mistakes.'
        )
        taken_so = np.flatnonzero((labels == label) & (answers == other))[:_SHOWN]
        merge = Remedy(
            does="merge",
            says=f'Merge "{name}" into "{into}"',
            targets={into: (name, into)},
        )
        found.append(
            Finding(
                kind="inside",
                images=show(revision, [revision.images[at] for at in taken_so]),
                certainty=float(share.low),
                says=says,
                remedies=(merge,),
            )
        )
    return found
