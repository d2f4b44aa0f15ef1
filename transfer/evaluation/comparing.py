"""What two or more runs have different: settings, and answers on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from transfer.evaluation import metrics, results
from transfer.evaluation.metrics import Interval
from transfer.store.record import Run

#: Below it a difference is taken as one that chance would seldom make.
SIGNIFICANT = 0.05


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs on the val images that both have answered.

    Attributes:
        images: How many these are.
        only_first: How many of them only the first run got right.
        only_second: How many of them only the second run got right.
        difference: Accuracy of the second less that of the first, -1 to 1.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p_value: How likely so uneven a result is were both equally good (McNemar's
            exact test).
        classes: For each class by name its images, and the share of them that the
            first and the second run got right.
    """

    images: int
    only_first: int
    only_second: int
    difference: float
    low: float
    high: float
    p_value: float
    classes: dict[str, tuple[int, float, float]]

    @property
    def is_real(self) -> bool:
        """Whether chance alone would seldom make such a difference."""
        return self.p_value < SIGNIFICANT

    @property
    def balanced_difference(self) -> float:
        """Balanced accuracy of the second less that of the first, -1 to 1."""
        return float(np.mean([two - one for _, one, two in self.classes.values()]))


def val_accuracy(run: Run) -> Interval | None:
    """Top-1 accuracy of a run on val, with an interval where an evaluation is stored.

    Returns:
        `None` where the run has none; without an evaluation the ends are `nan`.
    """
    value = run.result.get("val_accuracy")
    if value is None:
        return None
    if found := results.load(run.id, "val"):
        images = len(found.labels)
        return metrics.wilson(value * images, images)
    return Interval(value, np.nan, np.nan)


def differing_settings(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """The settings in which the runs differ, each with its value in every run."""
    settings = [run.config.model_dump(mode="json") for run in runs]
    return {
        name: [one[name] for one in settings]
        for name in (settings[0] if settings else {})
        if len({repr(one[name]) for one in settings}) > 1
    }


def compare(first: Run, second: Run) -> Comparison | None:
    """Two runs by their stored evaluations of val.

    Returns:
        `None` where one has none yet, or where they share no image.
    """
    loaded = [results.load(run.id, "val") for run in (first, second)]
    found = [one for one in loaded if one is not None]
    if len(found) < 2:
        return None
    first_hashes, second_hashes = (one.sha256 for one in found)
    _, *positions = np.intersect1d(first_hashes, second_hashes, return_indices=True)
    if not len(positions[0]):
        return None
    right, names = [], []
    for one, chosen in zip(found, positions, strict=True):
        right.append(one.predicted[chosen] == one.labels[chosen])
        names.append(np.asarray(one.class_names)[one.labels[chosen]])
    paired = metrics.paired_test(right[1], right[0])
    return Comparison(
        images=paired.images,
        only_first=paired.only_second,
        only_second=paired.only_first,
        difference=float(paired.difference[0]),
        low=float(paired.difference[1]),
        high=float(paired.difference[2]),
        p_value=paired.p_value,
        classes={
            str(name): (
                int(np.sum(names[0] == name)),
                float(right[0][names[0] == name].mean()),
                float(right[1][names[0] == name].mean()),
            )
            for name in dict.fromkeys(names[0])
        },
    )
