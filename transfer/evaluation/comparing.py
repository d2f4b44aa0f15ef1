"""What two or more runs have different: settings, and answers on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from transfer.evaluation import results
from transfer.evaluation.intervals import Interval, wilson
from transfer.store.record import Run

#: Below it a difference is taken as one that chance would seldom make.
SIGNIFICANT = 0.05


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Two runs on the images that both have answered.

    Attributes:
        images: How many these are.
        only_first: How many of them only the first run got right.
        only_second: How many of them only the second run got right.
        difference: Accuracy of the second less that of the first, -1 to 1.
        p_value: How likely so uneven a result is were both equally good.
        classes: For each class by name its images, and the share of them that the
            first and the second run got right.
    """

    images: int
    only_first: int
    only_second: int
    difference: Interval
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
        return wilson(value * images, images)
    return Interval(value, np.nan, np.nan)


def differing_settings(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """The settings in which the runs differ, each with its value in every run."""
    # As JSON, in which every value can be compared and shown.
    settings = [run.config.model_dump(mode="json") for run in runs]
    return {
        name: [one[name] for one in settings]
        for name in (settings[0] if settings else {})
        # Lists cannot be members of a set, and 1 must not pass for True.
        if len({repr(one[name]) for one in settings}) > 1
    }


def compare(first: Run, second: Run) -> Paired | None:
    """Two runs by their stored evaluations of val.

    Returns:
        `None` where one has none yet, or where they share no image.
    """
    loaded = [results.load(run.id, "val") for run in (first, second)]
    found = [one for one in loaded if one is not None]
    if len(found) < 2:
        return None
    # Revisions of a dataset may differ: only images that are in both can be compared.
    hashes = [one.sha256 for one in found]
    shared, *positions = np.intersect1d(hashes[0], hashes[1], return_indices=True)
    if not len(shared):
        return None
    right = [
        one.predicted[chosen] == one.labels[chosen]
        for one, chosen in zip(found, positions, strict=True)
    ]
    classes = np.asarray(found[0].class_names)[found[0].labels[positions[0]]]
    return paired_test(right[0], right[1], classes)


def paired_test(
    first: NDArray[np.bool_], second: NDArray[np.bool_], classes: NDArray[np.str_]
) -> Paired:
    """Whether one run is better than another on the same images.

    McNemar's test in its exact form, and the interval of Newcombe 1998, method 10,
    https://doi.org/10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C.

    Args:
        first: Whether the first run is right, by image.
        second: The same of the second run, images in the same order.
        classes: Name of each image's class.
    """
    # Images that both got right, or both wrong, do not say which is better; only
    # those that one alone got right do.
    both, only_first = int(np.sum(first & second)), int(np.sum(first & ~second))
    only_second, apart = int(np.sum(~first & second)), int(np.sum(first != second))
    fewer = min(only_first, only_second)
    tail = float(scipy.special.bdtr(fewer, apart, 0.5)) if apart else 1.0
    names, label, images = np.unique(classes, return_inverse=True, return_counts=True)
    shares = [np.bincount(label, right) / images for right in (first, second)]
    return Paired(
        images=len(first),
        only_first=only_first,
        only_second=only_second,
        difference=_newcombe(both, only_second, only_first, len(first)),
        # Both tails, which overlap where the two are exactly even.
        p_value=min(1.0, 2 * tail),
        classes={
            str(name): (int(count), float(one), float(two))
            for name, count, one, two in zip(names, images, *shares, strict=True)
        },
    )


def _newcombe(both: int, only_first: int, only_second: int, images: int) -> Interval:
    """Share of the first less that of the second, with its interval."""
    if not images:
        return Interval(np.nan, np.nan, np.nan)
    neither = images - both - only_first - only_second
    first, low_1, high_1 = wilson(both + only_first, images)
    second, low_2, high_2 = wilson(both + only_second, images)
    product = float(both * neither - only_first * only_second)
    # A correction for continuity, which the paper gives to positive products alone.
    if product > 0:
        product = max(product - images / 2, 0)
    totals = (both + only_first) * (only_second + neither)
    totals *= (both + only_second) * (only_first + neither)
    phi = product / np.sqrt(float(totals)) if totals else 0.0

    def spread(one: float, other: float) -> float:
        return float(np.sqrt(max(one**2 - 2 * phi * one * other + other**2, 0.0)))

    difference = first - second
    return Interval(
        difference,
        difference - spread(first - low_1, high_2 - second),
        difference + spread(second - low_2, high_1 - first),
    )
