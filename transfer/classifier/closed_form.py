"""A linear head in closed form: ridge regression, with calibrated probabilities.

What each image is answered by a model that never saw it chooses both the strength and
the temperature that turns scores into probabilities (Guo et al. 2017,
https://arxiv.org/abs/1706.04599). A few images know neither, so both have a prior that
counts as much as one image: without it two classes of two to ten images each, which
happen to be told apart, were taken for certain (a log loss of 0.36 above the best
possible; with it 0.04), and five classes of two images for a guess.

Left out, the only image of a class takes its class along, and no answer could be right.
So it counts for one image at most, whatever its class weighs; and where no two classes
have a second image, nothing is left out.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer.classifier.factor import Calibration, Prior
from transfer.classifier.ridge import Matrix, Ridge, Rows, read, take

#: Tried strengths, relative to the features' mean eigenvalue.
_STRENGTHS = 10.0 ** np.arange(-4, 3.5, 0.5)
#: Taken where nothing is left out. From one image of each of five flowers any strength
#: up to 100 answered alike: 0.49 to 0.50 of the others right.
_UNJUDGED = 1.0
#: The most likely strength, and one standard deviation, in powers of ten.
_STRENGTH, _DECADES = 0.0, 1.0
#: The most likely factor on the scores, which a strength s makes smaller by 1 + s.
_FACTOR = 3.0
#: So many images judge all strengths; of more, the rest only those that may win.
_JUDGES = 4096
#: A strength that is worse by so many standard errors cannot win.
_SURELY = 4.0
#: So often all images are asked at most, where the factor does not settle.
_MOST_PASSES = 8


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


class Fit(NamedTuple):
    """A solution, and what it was found in.

    Attributes:
        solution: The head.
        ridge: The regression of which it is a solution.
        factor: What makes logits of the regression's scores.
    """

    solution: Solution
    ridge: Ridge
    factor: float

    @property
    def is_judged(self) -> bool:
        """Whether an image can be left out: two classes have a second one."""
        return not np.isnan(self.solution.loss)


def solve(
    features: Rows,
    labels: NDArray[np.int32],
    num_classes: int,
    weights: NDArray[np.float32] | None = None,
    by_some: bool = False,
) -> Solution:
    """The best linear head on these features; see `fit`."""
    return fit(features, labels, num_classes, weights, by_some).solution


def fit(
    features: Rows,
    labels: NDArray[np.int32],
    num_classes: int,
    weights: NDArray[np.float32] | None = None,
    by_some: bool = False,
) -> Fit:
    """The best linear head on these features, and the regression behind it.

    Args:
        features: `(images, channels)`; never more than some thousand are asked for at
            once, so they may lie on a disk.
        labels: Label index of each image, `(images,)`.
        num_classes: Number of classes.
        weights: How much each image counts, `(images,)`; all alike if not given.
        by_some: Judge the strengths by some thousand of the images alone, be there
            more: all of them are then read once, and not once more for each judgement.
    """
    w = np.ones(len(labels)) if weights is None else weights.astype(np.float64)
    w = w / w.mean()  # so that strengths mean the same whatever the weights add up to
    ridge = Ridge(features, labels, num_classes, w)
    alone = np.bincount(labels)[labels] == 1
    if len(np.unique(labels[~alone])) > 1:
        counted = np.where(alone, np.minimum(w, 1), w)
        found = _Judges(ridge, features, labels, w, counted).choose(by_some)
    else:
        found = _fit_unjudged(ridge, features, labels, w)
    kernel = ridge.coefficients(found.strength) * found.factor
    bias = ridge.y_mean * found.factor - ridge.x_mean @ kernel
    solution = Solution(
        kernel.astype(np.float32),
        bias.astype(np.float32),
        found.strength,
        found.accuracy,
        found.loss,
    )
    return Fit(solution, ridge, found.factor)


def logits_left_out(
    found: Fit, features: Rows, labels: NDArray[np.int32]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.floating[Any]]]]:
    """Logits of each image by the head that never saw it, a part of them at a time.

    Args:
        found: What `fit` found in these images, each counting alike.
        features: As in `solve`.
        labels: As in `solve`.

    Yields:
        Positions, and their logits `(some, num_classes)`.
    """
    strength = np.array([found.solution.strength])
    for rows, part in read(features):
        alike = np.ones(len(rows))
        (scores,) = found.ridge.leave_one_out(part, labels[rows], alike, strength)
        yield rows, scores * found.factor


class _Found(NamedTuple):
    """The best factor at one strength, and what it reaches; the least is the best.

    By the loss: accuracy has many ties among strengths, and says nothing of how sure an
    answer may be.
    """

    loss_with_prior: float
    strength: float
    factor: float
    accuracy: float
    loss: float


class _Judges:
    """Images that judge the solutions which were found without them.

    Args:
        ridge: Of all images.
        features: As in `solve`.
        labels: As in `solve`.
        weights: What each image weighs in the solution.
        counted: What its judgement weighs.
    """

    def __init__(
        self,
        ridge: Ridge,
        features: Rows,
        labels: NDArray[np.int32],
        weights: Matrix,
        counted: Matrix,
    ) -> None:
        self._ridge, self._features, self._labels = ridge, features, labels
        self._weights, self._counted = weights, counted
        # As many images of one weight would say as much: Kish 1965.
        self._evidence = float(counted.sum() ** 2 / np.square(counted).sum())

    def choose(self, by_some: bool) -> _Found:
        """The strength and factor of the least loss; `by_some` as in `fit`."""
        count = len(self._labels)
        random = np.random.default_rng(0).permutation(count)[:_JUDGES]
        judges = np.sort(random)
        tried, losses = self._try_all(judges)
        best = tried.index(min(tried))
        if by_some or len(judges) == count:
            return tried[best]
        behind = losses - losses[best]
        noise = behind.std(1) / np.sqrt(len(judges))
        rivals = behind.mean(1) <= _SURELY * noise
        return self._try_again([tried[i] for i in np.flatnonzero(rivals)])

    def _try_all(self, judges: NDArray[np.int64]) -> tuple[list[_Found], Matrix]:
        """Every strength, and `(strengths, judges)` losses, each weighed."""
        labels, counted = self._labels[judges], self._counted[judges]
        share = counted / counted.sum()
        scored = self._scores(judges, take(self._features, judges), _STRENGTHS)
        tried, losses, factor = [], [], 1.0
        for strength, scores in zip(_STRENGTHS, scored, strict=True):
            # The last strength's factor is not far from this one's.
            calibration = Calibration(scores, labels)
            prior = self._prior(strength)
            factor = calibration.best(share, factor, prior)
            of_each = calibration.at(factor).losses * share
            right = float(counted @ (scores.argmax(1) == labels) / counted.sum())
            loss = float(of_each.sum())
            known = prior.at(factor)[0] + self._unlikely(strength)
            tried.append(_Found(loss + known, float(strength), factor, right, loss))
            losses.append(of_each * len(judges))
        return tried, np.array(losses)

    def _try_again(self, rivals: list[_Found]) -> _Found:
        """The best of some, as all images judge them."""
        for _ in range(_MOST_PASSES):
            means = zip(rivals, self._ask_all(rivals), strict=True)
            again = [self._improve(found, mean) for found, mean in means]
            is_close, rivals = _are_close(rivals, again), again
            # Some thousand images know the factor to a percent or two, and each step of
            # Newton's method doubles its digits: mostly this is the end.
            if is_close:
                break
        return min(rivals)

    def _improve(self, found: _Found, means: Matrix) -> _Found:
        """A step of Newton's method, and what it reaches."""
        right, *of_images = means
        prior = self._prior(found.strength).at(found.factor)
        loss, slope, bend = np.add(of_images, prior)
        # Never past zero, however flat the loss is.
        step = max(-slope / max(bend, 1e-12), -found.factor / 2)
        gain = slope * step / 2
        known = loss + self._unlikely(found.strength)
        return _Found(
            float(known + gain),
            found.strength,
            float(found.factor + step),
            float(right),
            float(of_images[0] + gain),
        )

    def _prior(self, strength: float) -> Prior:
        return Prior(_FACTOR * (1 + strength), 1 / self._evidence)

    def _unlikely(self, strength: float) -> float:
        """The loss of a strength that is rarely the best one."""
        away = (np.log10(strength) - _STRENGTH) / _DECADES
        return float(away**2 / 2 / self._evidence)

    def _ask_all(self, rivals: list[_Found]) -> Matrix:
        """Mean accuracy, loss and its derivatives of each, `(rivals, 4)`."""
        strengths = np.array([one.strength for one in rivals])
        sums = np.zeros((len(rivals), 4))
        for rows, features in read(self._features):
            labels, share = self._labels[rows], self._counted[rows]
            scored = self._scores(rows, features, strengths)
            for found, scores, total in zip(rivals, scored, sums, strict=True):
                right = share @ (scores.argmax(1) == labels)
                at = Calibration(scores, labels).at(found.factor)
                total += right, *(share @ column for column in at)
        means: Matrix = sums / self._counted.sum()
        return means

    def _scores(
        self, rows: NDArray[np.int64], features: NDArray[Any], strengths: Matrix
    ) -> Any:
        labels, weights = self._labels[rows], self._weights[rows]
        return self._ridge.leave_one_out(features, labels, weights, strengths)


def _are_close(before: list[_Found], after: list[_Found]) -> bool:
    """Whether no factor changed by more than 2 %."""
    pairs = zip(before, after, strict=True)
    return all(abs(new.factor / old.factor - 1) < 0.02 for old, new in pairs)


def _fit_unjudged(
    ridge: Ridge, features: Rows, labels: NDArray[np.int32], weights: Matrix
) -> _Found:
    """The same without a judge: as sure as so few images allow.

    The images judge a model that has seen them, so the targets are mixed with one part
    in `images + 1` of a uniform one, as in `calibration.fit`.
    """
    kernel = ridge.coefficients(_UNJUDGED)
    scores = ridge.y_mean + (features[np.arange(len(labels))] - ridge.x_mean) @ kernel
    calibration = Calibration(scores, labels, uniform=1 / (len(labels) + 1))
    factor = calibration.best(weights / weights.sum())
    nan = float("nan")
    return _Found(nan, _UNJUDGED, factor, nan, nan)
