"""Temperature scaling: probabilities that mean what they say.

Guo et al. 2017, https://arxiv.org/abs/1706.04599: one number T, by which all logits are
divided, lowers the calibration error more than methods of many parameters, and never
changes which class is the most probable.
"""

from typing import Any

import numpy as np
import scipy  # its parts are loaded where they are first used: at once costs 0.4 s
from numpy.typing import NDArray

from transfer.datasets import scratch
from transfer.evaluation import large

Probabilities = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]

#: Smallest and largest temperature; those of real networks lie between 0.5 and 5.
_RANGE = (0.1, 10.0)
#: Where float32 ran out; the logarithm of 0 is not finite.
_SMALLEST = 1e-30
#: With fewer images a temperature is a guess.
_FEWEST = 20
#: Of more images than twice as many some are drawn to find a temperature by: one number
#: needs no more, and of 800,000 images and 1,000 classes it took minutes.
_ENOUGH = 10_000


def scale(
    probabilities: Probabilities, temperature: float
) -> NDArray[np.floating[Any]]:
    """Softmax of log(p) / T: the same order of classes, with another confidence.

    Args:
        probabilities: `(images, num_classes)`, each row summing to 1.
        temperature: Above 1 it lowers the confidence, below 1 it raises it; 1 leaves
            the probabilities as they are.

    Returns:
        Probabilities of the same shape and dtype.
    """
    # Exactly as the model gave them, not by way of a logarithm and back.
    if temperature == 1.0:
        return probabilities
    result = large.empty(probabilities.shape, probabilities.dtype)
    for some in large.pieces(len(probabilities), probabilities, result):
        logits = _logits(probabilities[some]) / temperature
        result[some] = scipy.special.softmax(logits, axis=1)
    return result


def fit(probabilities: Probabilities, labels: Labels) -> float:
    """The temperature that makes the right labels most likely.

    The targets are mixed with one part in `images + 1` of a uniform one, after Platt
    1999, "Probabilistic outputs for support vector machines": else a model that makes
    no mistake on a few images would be told to be certain of everything. Returns 1
    where there are too few images, or scaling helps too little on those that it was not
    fitted on: by less than the standard error of its mean gain in log-likelihood. Heads
    in closed form are calibrated already, and noise would make them worse.

    Args:
        probabilities: Of the val split, `(images, num_classes)`.
        labels: The right label indices, `(images,)`.
    """
    if len(labels) < _FEWEST or probabilities.shape[1] < 2:
        return 1.0
    held_out = _scale_crosswise(probabilities, labels)
    gains = _likelihoods(held_out, labels) - _likelihoods(probabilities, labels)
    if gains.mean() <= gains.std() / np.sqrt(len(gains)):
        return 1.0
    return _best_temperature(probabilities, labels, np.arange(len(labels)))


def scale_honestly(
    probabilities: Probabilities, labels: Labels
) -> NDArray[np.floating[Any]]:
    """The split's probabilities, scaled without any image judging itself.

    Each half of the images is scaled by the temperature of the other half, so that the
    calibration error after scaling is an honest one. Unchanged where `fit` gives 1.
    """
    if fit(probabilities, labels) == 1.0:
        return probabilities
    return _scale_crosswise(probabilities, labels)


def _scale_crosswise(
    probabilities: Probabilities, labels: Labels
) -> NDArray[np.floating[Any]]:
    # A fixed seed: the same split must be judged alike every time.
    order = np.random.default_rng(0).permutation(len(labels))
    # In the order in which they lie, for what is apart in a file is read slowly.
    halves = np.sort(order[::2]), np.sort(order[1::2])
    result = large.empty(probabilities.shape, probabilities.dtype)
    for judge, fitted in (halves, halves[::-1]):
        temperature = _best_temperature(probabilities, labels, fitted)
        for some in large.pieces(len(judge), probabilities, result):
            own = judge[some]
            result[own] = scale(probabilities[own], temperature)
    return result


def _best_temperature(
    probabilities: Probabilities, labels: Labels, images: NDArray[np.int64]
) -> float:
    """The temperature of the least mean loss; it is searched on a logarithmic scale.

    Args:
        probabilities: Of all images.
        labels: Of all images.
        images: Positions of those whose loss it is; of many some are drawn.
    """
    images = images[:: max(1, len(images) // _ENOUGH)]
    some = scratch.gather(probabilities, images)
    logits, share = _logits(some), 1 / (len(images) + 1)
    # The mixed target that `fit` speaks of, written out.
    target = (1 - share) * _likelihoods(some, labels[images])
    target += share * logits.mean(axis=1)

    def loss(log_temperature: float) -> float:
        inverse = np.exp(-log_temperature)
        sums = scipy.special.logsumexp(logits * inverse, axis=1)
        return float(np.mean(sums - target * inverse))

    found = scipy.optimize.minimize_scalar(
        loss, bounds=np.log(_RANGE), method="bounded"
    )
    return float(np.exp(found.x))


def _likelihoods(probabilities: Probabilities, labels: Labels) -> NDArray[np.float64]:
    """Logarithm of each image's probability of the right class, in nats."""

    def of(some: Probabilities, own: Labels) -> NDArray[np.float64]:
        return _logits(np.take_along_axis(some, own[:, None], axis=1)[:, 0])

    return large.by_image(of, probabilities, labels)


def _logits(probabilities: Probabilities) -> NDArray[np.float64]:
    # Logits up to a constant for each image, which a softmax does not see.
    return np.log(np.maximum(probabilities, _SMALLEST)).astype(np.float64)
