"""A linear head in closed form: ridge regression, with calibrated probabilities.

Ridge regression of the one-hot labels is solved once for all strengths by an
eigendecomposition; each image's answer by a model that never saw it (leave-one-out)
follows without solving again, and chooses both the strength and the temperature that
turns scores into probabilities. Hastie, Tibshirani, Friedman, The Elements of
Statistical Learning, 2nd edition, section 7.10; temperature: Guo et al. 2017,
https://arxiv.org/abs/1706.04599.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Tried strengths, relative to the features' mean eigenvalue.
_STRENGTHS = 10.0 ** np.arange(-4, 3.5, 0.5)

Matrix = NDArray[np.float64]


class Solution(NamedTuple):
    """Logits are `features @ kernel + bias`.

    Attributes:
        kernel: `(channels, num_classes)`, float32.
        bias: `(num_classes,)`, float32.
        strength: The chosen strength, relative to the mean eigenvalue.
        accuracy: Leave-one-out accuracy on the training images, in [0, 1].
        loss: Leave-one-out cross-entropy, in nats.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    strength: float
    accuracy: float
    loss: float


def solve(
    features: NDArray[np.float32],
    labels: NDArray[np.int32],
    num_classes: int,
    weights: NDArray[np.float32] | None = None,
) -> Solution:
    """The best linear head on these features.

    Args:
        features: `(images, channels)`.
        labels: Label index of each image, `(images,)`.
        num_classes: Number of classes.
        weights: How much each image counts, `(images,)`; all alike if not given.
    """
    w = np.ones(len(labels)) if weights is None else weights.astype(np.float64)
    w = w / w.mean()
    x = features.astype(np.float64)
    targets = np.eye(num_classes)[labels]
    x_mean, y_mean = np.average(x, 0, w), np.average(targets, 0, w)
    root = np.sqrt(w)[:, None]
    ridge = _Ridge((x - x_mean) * root, (targets - y_mean) * root)
    tried = []
    for strength in map(float, _STRENGTHS):
        scores = targets - ridge.left_out_errors(strength, w) / root
        temperature, loss = _calibrated(scores, labels, w)
        right = float(np.mean(scores.argmax(1) == labels))
        tried.append((loss, strength, temperature, right))
    loss, strength, temperature, accuracy = min(tried)
    kernel = ridge.coefficients(strength) * temperature
    bias = y_mean * temperature - x_mean @ kernel
    return Solution(
        kernel.astype(np.float32),
        bias.astype(np.float32),
        strength,
        accuracy,
        loss,
    )


class _Ridge:
    """Ridge regression of `y` on `x`, both centred, at any strength."""

    def __init__(self, x: Matrix, y: Matrix) -> None:
        self._x, self._y = x, y
        # The smaller of the two Gram matrices; both have the same eigenvalues.
        self._wide = x.shape[1] > x.shape[0]
        values, vectors = np.linalg.eigh(x @ x.T if self._wide else x.T @ x)
        self._values = np.maximum(values, 0)
        self._vectors = vectors
        self._scale = float(self._values.sum()) / min(x.shape) or 1.0
        self._scores = vectors if self._wide else x @ vectors
        self._projected = self._scores.T @ y

    def _shrunk(self, strength: float) -> Matrix:
        """What each direction counts for, so that fitted values are
        `scores @ (shrunk * projected)`.
        """
        kept = 1 / (self._values + strength * self._scale)
        return np.asarray(kept * self._values if self._wide else kept)

    def coefficients(self, strength: float) -> Matrix:
        """The solution, `(channels, num_classes)`."""
        kept = 1 / (self._values + strength * self._scale)
        solved = self._vectors @ (kept[:, None] * self._projected)
        return np.asarray(self._x.T @ solved if self._wide else solved)

    def left_out_errors(self, strength: float, weights: Matrix) -> Matrix:
        """Each row's error by the solution that was found without it."""
        shrunk = self._shrunk(strength)
        fitted = self._scores @ (shrunk[:, None] * self._projected)
        # The last term is the mean's part in each fitted value.
        leverage = (self._scores**2) @ shrunk + weights / weights.sum()
        return np.asarray((self._y - fitted) / np.maximum(1 - leverage, 1e-6)[:, None])


def _calibrated(
    scores: Matrix, labels: NDArray[np.int32], weights: Matrix
) -> tuple[float, float]:
    """The factor on the scores that makes their cross-entropy least, and that."""
    own = scores[np.arange(len(labels)), labels]

    def loss(log_factor: float) -> float:
        scaled = np.exp(log_factor) * scores
        top = scaled.max(1)
        total = np.log(np.exp(scaled - top[:, None]).sum(1)) + top
        losses = total - np.exp(log_factor) * own
        return float(np.average(losses, weights=weights))

    # Golden-section search: the loss is convex in the factor.
    golden = (np.sqrt(5) - 1) / 2
    low, high = -4.0, 8.0
    while high - low > 1e-3:
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp(low)), loss(low)
