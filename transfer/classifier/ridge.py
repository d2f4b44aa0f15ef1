"""Ridge regression of one-hot labels: its solution, and each image's answer without it.

Solved once for all strengths by an eigendecomposition; what a model would say that
never saw an image (leave-one-out) follows without solving again. Hastie, Tibshirani,
Friedman, The Elements of Statistical Learning, 2nd edition, section 7.10.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from transfer.datasets import scratch

#: Images that are held at a time.
PART = 1024
#: Eigenvalues below this share of the largest are rounding: nothing lies along them.
_NOTHING = 1e-12

Matrix = NDArray[np.float64]


class Rows(Protocol):
    """Features by position: an array, or what reads them when they are asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, positions: NDArray[np.int64], /) -> NDArray[Any]: ...


class Part:
    """Some of the rows, which are read when they are asked for.

    Args:
        rows: All of them.
        positions: The some, `(images,)`.
    """

    def __init__(self, rows: Rows, positions: NDArray[np.int64]) -> None:
        self._positions = positions
        self._rows = rows
        #: What holds the rows: of a mapped file the file.
        self.base = getattr(rows, "base", None)

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, positions: NDArray[np.int64], /) -> NDArray[Any]:
        return self._rows[self._positions[positions]]


def parts(count: int) -> Iterator[NDArray[np.int64]]:
    """All positions, at most `PART` at a time."""
    for start in range(0, count, PART):
        yield np.arange(start, min(start + PART, count))


def read(features: Rows) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
    """All positions and their features, at most `PART` at a time."""
    for rows in parts(len(features)):
        yield rows, features[rows]
        scratch.forget(features)


def take(features: Rows, positions: NDArray[np.int64]) -> NDArray[Any]:
    """The features of some images, all at once."""
    return np.concatenate([part for _, part in read(Part(features, positions))])


class Ridge:
    """Ridge regression with an intercept, at any strength.

    It computes in float64, reads the features once, and holds no more than one part of
    them and matrices of channels by channels and by classes.

    Args:
        features: `(images, channels)`.
        labels: Label index of each image, `(images,)`.
        num_classes: Number of classes.
        weights: How much each image counts, `(images,)`.

    Attributes:
        scale: The mean eigenvalue of the features; strengths are relative to it.
    """

    def __init__(
        self,
        features: Rows,
        labels: NDArray[np.int32],
        num_classes: int,
        weights: Matrix,
    ) -> None:
        self._total = float(weights.sum())
        self.y_mean = np.bincount(labels, weights, num_classes) / self._total
        self.x_mean, both, gram = _add_up(features, labels, num_classes, weights)
        channels = len(both)
        if gram is None:
            x = features[np.arange(len(labels))].astype(np.float64) - self.x_mean
            self._values, self._vectors = _decompose_wide(x * np.sqrt(weights)[:, None])
        else:
            values, self._vectors = eigh(gram)
            # Rounding leaves eigenvalues of zero a little below it.
            self._values = np.maximum(values, 0)
        self.scale = float(self._values.sum()) / min(len(labels), channels) or 1.0
        self._projected = self._vectors.T @ both
        # Float32 is twice as fast; but where the images are few a model without one of
        # them may be far from the one with all, and digits are lost in between.
        self._dtype = np.float64 if gram is None else np.float32

    def coefficients(self, strength: float) -> Matrix:
        """The solution, `(channels, num_classes)`."""
        shrunk = 1 / (self._values + strength * self.scale)
        solved: Matrix = self._vectors @ (shrunk[:, None] * self._projected)
        return solved

    def leave_one_out(
        self,
        features: NDArray[Any],
        labels: NDArray[np.int32],
        weights: Matrix,
        strengths: NDArray[np.float64],
    ) -> Iterator[NDArray[np.floating[Any]]]:
        """Scores of some of the images, each by the solution found without it.

        The classes' shares stay those of all images: how many there are of each is
        known, and without its own an image would find its class a little less likely
        than the others. With two images a class no answer was right by that alone.

        Args:
            features: Theirs, `(some, channels)`.
            labels: Theirs, `(some,)`.
            weights: As much as they counted in the solution, `(some,)`.
            strengths: Of the solutions.

        Yields:
            For each strength `(some, num_classes)`.
        """
        centred = (features.astype(np.float64) - self.x_mean).astype(self._dtype)
        along = centred @ self._vectors.astype(self._dtype)
        shrunk = 1 / (self._values[:, None] + strengths * self.scale)
        # The last term is the mean's part in each fitted value.
        leverage = along**2 @ shrunk.astype(self._dtype) + 1 / self._total
        left = np.maximum(1 - weights[:, None] * leverage, 1e-6)
        own = np.arange(len(labels)), labels
        back = weights / (self._total - weights)
        for one, kept in zip(shrunk.T, left.T, strict=True):
            solved = one[:, None] * self._projected
            scores = along @ solved.astype(self._dtype)
            scores += self.y_mean.astype(self._dtype)
            scores /= kept[:, None].astype(self._dtype)
            scores[own] += (1 - 1 / kept).astype(self._dtype)
            scores[own] += back.astype(self._dtype)
            scores -= np.outer(back, self.y_mean).astype(self._dtype)
            yield scores


def solve_at(
    features: Rows, labels: NDArray[np.int32], num_classes: int, strength: float
) -> tuple[Matrix, Matrix]:
    """The solution at one strength, `(channels, num_classes)` and `(num_classes,)`.

    Many times as fast as one for all strengths, for which eigenvalues are needed.

    Args:
        features: As in `Ridge`.
        labels: As in `Ridge`.
        num_classes: Number of classes.
        strength: Relative to the mean eigenvalue.
    """
    weights = np.ones(len(labels))
    x_mean, both, gram = _add_up(features, labels, num_classes, weights)
    if gram is None:
        kernel = Ridge(features, labels, num_classes, weights).coefficients(strength)
    else:
        own = np.arange(len(gram))
        gram[own, own] += strength * (float(np.trace(gram)) / len(gram) or 1.0)
        with threadpool_limits(1):
            kernel = np.asarray(np.linalg.solve(gram, both), np.float64)
    bias = np.bincount(labels, minlength=num_classes) / len(labels) - x_mean @ kernel
    return kernel, bias


def _add_up(
    features: Rows, labels: NDArray[np.int32], num_classes: int, weights: Matrix
) -> tuple[Matrix, Matrix, Matrix | None]:
    """The features' mean, and their products with the labels and with each other.

    The latter is `None` with fewer images than channels: their own Gram matrix is the
    smaller one.
    """
    first = features[np.arange(min(PART, len(labels)))].astype(np.float64)
    # Taken off before squares are added up, which would lose digits otherwise.
    shift, channels = first.mean(0), first.shape[1]
    sums = np.zeros((num_classes, channels))
    gram = None if len(labels) < channels else np.zeros((channels, channels))
    for rows, part in read(features):
        x = part.astype(np.float64) - shift
        _add_by_label(sums, x * weights[rows][:, None], labels[rows])
        if gram is not None:
            x *= np.sqrt(weights[rows])[:, None]
            gram += x.T @ x
    total, of_class = float(weights.sum()), np.bincount(labels, weights, num_classes)
    offset = sums.sum(0) / total
    if gram is not None:
        gram -= total * np.outer(offset, offset)
    return shift + offset, (sums - np.outer(of_class, offset)).T, gram


def _add_by_label(sums: Matrix, rows: Matrix, labels: NDArray[np.int32]) -> None:
    """Adds each row to the sum of its label; `np.add.at` is slower."""
    order = np.argsort(labels, kind="stable")
    found, starts = np.unique(labels[order], return_index=True)
    sums[found] += np.add.reduceat(rows[order], starts)


def _decompose_wide(x: Matrix) -> tuple[Matrix, Matrix]:
    """Eigenvalues of `x.T @ x` that are not zero, and their vectors, by `x @ x.T`."""
    values, vectors = eigh(x @ x.T)
    kept = values > values[-1] * _NOTHING
    return values[kept], x.T @ (vectors[:, kept] / np.sqrt(values[kept]))


def eigh(matrix: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Eigenvalues and vectors of a symmetric matrix, on one core.

    Its threads wait for each other after every column. On two cores that gains little,
    and where another program works there too it took 4 to 13 s instead of 0.4 to 1.1.
    """
    with threadpool_limits(1):
        found: tuple[NDArray[Any], NDArray[Any]] = np.linalg.eigh(matrix)
    return found
