"""The factor that makes logits of scores: the inverse of a temperature.

Guo et al. 2017, https://arxiv.org/abs/1706.04599, by Newton's method: the cross-entropy
is convex in the factor, so its slope is zero at one place at most.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Logarithms of the least and the largest factor, and how closely it is found.
_LEAST, _LARGEST, _CLOSE = -4.0, 8.0, 1e-4
_MOST_STEPS = 60


class Losses(NamedTuple):
    """Each image's cross-entropy at a factor, and how that changes with the factor.

    Attributes:
        losses: In nats, float64 `(images,)`.
        slopes: First derivatives.
        bends: Second derivatives.
    """

    losses: NDArray[np.float64]
    slopes: NDArray[np.float64]
    bends: NDArray[np.float64]


class Prior(NamedTuple):
    """A Gamma distribution of the factor: neither zero nor certainty, until shown.

    Attributes:
        mode: The factor that is the most likely one.
        weight: How much it counts beside the weights of the images.
    """

    mode: float
    weight: float

    def at(self, factor: float) -> tuple[float, float, float]:
        """Its loss, zero at the mode, and the two derivatives of that."""
        ratio = factor / self.mode
        loss, slope = ratio - 1 - np.log(ratio), 1 / self.mode - 1 / factor
        return self.weight * loss, self.weight * slope, self.weight / factor**2


class Calibration:
    """Scores whose factor is looked for.

    Args:
        scores: `(images, num_classes)`; changed by what all of a row have in common.
        labels: Label index of each image, `(images,)`.
        uniform: Share of the target that is spread over all classes, 0 to 1.
    """

    def __init__(
        self,
        scores: NDArray[np.floating[Any]],
        labels: NDArray[np.int32],
        uniform: float = 0.0,
    ) -> None:
        scores -= scores.max(1, keepdims=True)
        own = scores[np.arange(len(labels)), labels].astype(np.float64)
        self._own = (1 - uniform) * own
        if uniform:
            self._own += uniform * scores.mean(1)
        self._scores = scores

    def at(self, factor: float) -> Losses:
        """The losses if scores are multiplied by this factor."""
        scores = self._scores
        shares = np.exp(scores * scores.dtype.type(factor))
        total = shares.sum(1)
        shares *= scores
        mean = shares.sum(1) / total
        square = np.einsum("ij,ij->i", shares, scores) / total
        losses = np.log(total) - factor * self._own
        return Losses(losses, mean - self._own, square - mean**2)

    def best(
        self,
        weights: NDArray[np.float64],
        start: float = 1.0,
        prior: Prior | None = None,
    ) -> float:
        """The factor of the least loss.

        Args:
            weights: How much each image counts, `(images,)`.
            start: Where to look first; the closer, the sooner it is found.
            prior: What is known of the factor before.
        """
        low, high = _LEAST, _LARGEST
        place = float(np.clip(np.log(start), low, high))
        for _ in range(_MOST_STEPS):
            factor = float(np.exp(place))
            at = self.at(factor)
            slope, bend = float(weights @ at.slopes), float(weights @ at.bends)
            if prior:
                _, *known = prior.at(factor)
                slope, bend = slope + known[0], bend + known[1]
            # The best factor lies on the side to which the loss falls.
            low, high = (low, place) if slope > 0 else (place, high)
            step = -slope / (factor * bend) if bend > 0 else np.inf
            if abs(step) < _CLOSE or high - low < _CLOSE:
                break
            # Where Newton's method leads out of what is left, by halves.
            place = place + step if low < place + step < high else (low + high) / 2
        return float(np.exp(np.clip(place + step, low, high)))
