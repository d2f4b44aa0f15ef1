"""Made-up answers, and how often intervals hold what they should."""

import numpy as np
from numpy.typing import NDArray

from transfer.evaluation.intervals import Floats


def sample(
    images: int = 400, classes: int = 7, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Probabilities and labels of a mediocre classifier of uneven classes."""
    random = np.random.default_rng(seed)
    weights = np.arange(1, classes + 1)
    labels = random.choice(classes, images, p=weights / weights.sum())
    logits = random.normal(0, 1, (images, classes))
    logits[np.arange(images), labels] += 1.5
    exponents = np.exp(logits)
    return (exponents / exponents.sum(1, keepdims=True)).astype(np.float32), labels


def coverage(low: Floats, high: Floats, truth: float) -> float:
    """Share of the intervals that hold the truth."""
    return float(np.mean((low <= truth) & (truth <= high)))
