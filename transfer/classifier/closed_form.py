"""A linear head in closed form: ridge regression, with calibrated probabilities.

Ridge regression of the one-hot labels is solved once for all strengths by an
eigendecomposition; each image's answer by a model that never saw it (leave-one-out)
follows without solving again, and chooses both the strength and the temperature that
turns scores into probabilities. Hastie, Tibshirani, Friedman, The Elements of
Statistical Learning, 2nd edition, section 7.10; temperature: Guo et al. 2017,
https://arxiv.org/abs/1706.04599.

Left out, the only image of a class takes its class along, and no answer could be right.
So it counts for one image at most, whatever its class weighs; and where no two classes
have a second image, nothing is left out.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Tried strengths, relative to the features' mean eigenvalue.
_STRENGTHS = 10.0 ** np.arange(-4, 3.5, 0.5)
#: Taken where nothing is left out. From one image of each of five flowers any strength
#: up to 100 answered alike: 0.49 to 0.50 of the others right.
_UNJUDGED = 1.0

#: Images that are held in float64 at a time.
_PART = 1024

Matrix = NDArray[np.float64]


class Solution(NamedTuple):
    """Logits are `features @ kernel + bias`.

    Attributes:
        kernel: `(channels, num_classes)`, float32.
        bias: `(num_classes,)`, float32.
        strength: The chosen strength, relative to the mean eigenvalue.
        accuracy: Leave-one-out accuracy on the training images, in [0, 1]; `nan` where
            nothing is left out.
        loss: Leave-one-out cross-entropy, in nats; `nan` likewise.
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
    w = w / w.mean()  # so that strengths mean the same whatever the weights add up to
    targets = np.eye(num_classes)[labels]
    ridge = _Ridge(features, targets, w)
    alone = np.bincount(labels)[labels] == 1
    if len(np.unique(labels[~alone])) > 1:
        counted = np.where(alone, np.minimum(w, 1), w)
        found = _judge_left_out(ridge, targets, labels, counted)
    else:
        found = _fit_unjudged(ridge, features, labels, w)
    loss, strength, temperature, accuracy = found
    kernel = ridge.coefficients(strength) * temperature
    bias = ridge.y_mean * temperature - ridge.x_mean @ kernel
    return Solution(
        kernel.astype(np.float32), bias.astype(np.float32), strength, accuracy, loss
    )


def _judge_left_out(
    ridge: "_Ridge", targets: Matrix, labels: NDArray[np.int32], weights: Matrix
) -> tuple[float, float, float, float]:
    """Loss, strength, temperature and accuracy of the best by leave-one-out."""
    tried = []
    for strength, errors in zip(
        _STRENGTHS, ridge.left_out_errors(_STRENGTHS), strict=True
    ):
        scores = targets - errors
        temperature, loss = _calibrate(scores, labels, weights)
        right = float(np.average(scores.argmax(1) == labels, weights=weights))
        tried.append((loss, float(strength), temperature, right))
    # By the loss: accuracy has many ties among strengths, and says nothing of how sure
    # an answer may be.
    return min(tried)


def _fit_unjudged(
    ridge: "_Ridge",
    features: NDArray[np.float32],
    labels: NDArray[np.int32],
    weights: Matrix,
) -> tuple[float, float, float, float]:
    """The same without a judge: as sure as so few images allow.

    The images judge a model that has seen them, so the targets are mixed with one part
    in `images + 1` of a uniform one, as in `calibration.fit`.
    """
    kernel = ridge.coefficients(_UNJUDGED)
    scores = ridge.y_mean + (features - ridge.x_mean) @ kernel
    uniform = 1 / (len(labels) + 1)
    temperature, _ = _calibrate(scores, labels, weights, uniform)
    return float("nan"), _UNJUDGED, temperature, float("nan")


class _Ridge:
    """Ridge regression with an intercept, at any strength.

    It computes in float64, but holds the features of no more than `_PART` images in it
    at a time.

    Args:
        x: Features `(images, channels)`.
        y: Targets `(images, num_classes)`.
        weights: How much each image counts, `(images,)`.
    """

    def __init__(self, x: NDArray[np.float32], y: Matrix, weights: Matrix) -> None:
        self._x, self._weights = x, weights
        self._root = np.sqrt(weights)[:, None]
        # With fewer images than channels the images' own Gram matrix is the smaller.
        self._wide = x.shape[1] > x.shape[0]
        size = len(x) if self._wide else _PART
        self._rows = [slice(start, start + size) for start in range(0, len(x), size)]
        self.y_mean = np.average(y, 0, weights)
        self.x_mean = np.zeros(x.shape[1])
        for rows in self._rows:
            self.x_mean += weights[rows] @ x[rows].astype(np.float64) / weights.sum()
        self._y = (y - self.y_mean) * self._root
        values, self._vectors, projected = self._decompose()
        # Rounding leaves eigenvalues of zero a little below it.
        self._values = np.maximum(values, 0)
        self.scale = float(self._values.sum()) / min(x.shape) or 1.0
        self._projected = projected

    def _part(self, rows: slice) -> Matrix:
        """Features of some images, centred and weighted."""
        return (self._x[rows].astype(np.float64) - self.x_mean) * self._root[rows]

    def _decompose(self) -> tuple[Matrix, Matrix, Matrix]:
        """Eigenvalues and vectors of the Gram matrix, and the targets along them."""
        if self._wide:
            x = self._part(self._rows[0])
            values, vectors = np.linalg.eigh(x @ x.T)
            return values, vectors, vectors.T @ self._y
        size = self._x.shape[1]
        gram, right = np.zeros((size, size)), np.zeros((size, self._y.shape[1]))
        for rows in self._rows:
            x = self._part(rows)
            gram += x.T @ x
            right += x.T @ self._y[rows]
        values, vectors = np.linalg.eigh(gram)
        return values, vectors, vectors.T @ right

    def coefficients(self, strength: float) -> Matrix:
        """The solution, `(channels, num_classes)`."""
        kept = 1 / (self._values + strength * self.scale)
        solved: Matrix = self._vectors @ (kept[:, None] * self._projected)
        return self._part(self._rows[0]).T @ solved if self._wide else solved

    def left_out_errors(self, strengths: NDArray[np.float64]) -> NDArray[np.float32]:
        """Each image's error by the solution that was found without it.

        Returns:
            An array `(len(strengths), images, num_classes)`, which may be large.
        """
        errors = np.empty((len(strengths), *self._y.shape), np.float32)
        for rows in self._rows:
            along = self._vectors if self._wide else self._part(rows) @ self._vectors
            squares = along**2
            for index, strength in enumerate(strengths):
                shrunk = 1 / (self._values + strength * self.scale)
                shrunk = shrunk * self._values if self._wide else shrunk
                fitted = along @ (shrunk[:, None] * self._projected)
                # The last term is the mean's part in each fitted value.
                leverage = squares @ shrunk + self._weights[rows] / self._weights.sum()
                left = np.maximum(1 - leverage, 1e-6)[:, None] * self._root[rows]
                errors[index, rows] = (self._y[rows] - fitted) / left
        return errors


def _calibrate(
    scores: Matrix, labels: NDArray[np.int32], weights: Matrix, uniform: float = 0.0
) -> tuple[float, float]:
    """The factor on the scores that makes their cross-entropy least, and that.

    Args:
        scores: `(images, num_classes)`.
        labels: See `solve`.
        weights: See `solve`.
        uniform: Share of the target that is spread over all classes, 0 to 1.
    """
    own = scores[np.arange(len(labels)), labels]
    own = (1 - uniform) * own + uniform * scores.mean(1)

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
