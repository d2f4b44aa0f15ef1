"""How accuracy grows with the number of images, and what twice as many would bring.

Heads in closed form from a part of the images name the others. An inverse power law
through these accuracies goes on to all images and to twice as many: Figueroa et al.
2012, "Predicting sample size required for classification performance",
https://doi.org/10.1186/1472-6947-12-8.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transfer.advice import power_law, resamples
from transfer.advice.resamples import Answers
from transfer.classifier import closed_form
from transfer.classifier.ridge import Part, Rows
from transfer.errors import DatasetError
from transfer.evaluation.intervals import Interval

#: Shares of the images that heads are made from: one of so many parts, or all but one.
#: Not all but one image: its class would be the only one that lacks an image, which
#: with 10 images of each of 200 classes cost 5 points.
_SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 4 / 5)
#: Images a class has to have on average, so that there are two parts to draw.
FEWEST = 4
#: Heads of one share at most, and images that one of them is asked about.
_MOST_HEADS, _MOST_ASKED = 8, 4096
#: The parts of fewer images than this are drawn again, up to so often.
_IMAGES, _MOST_DRAWS = 4000, 12
#: Resamples of the images, and of those of each class.
_RESAMPLES, _OF_CLASS = 1000, 300

Labels = NDArray[np.int32]
Floats = NDArray[np.float64]


class Progress(Protocol):
    """Hears how many heads are made, and of how many."""

    def __call__(self, done: int, of: int) -> None: ...


class Point(NamedTuple):
    """The accuracy with so many images a class, on average."""

    images_per_class: float
    accuracy: Interval


class ClassGrowth(NamedTuple):
    """What twice as many images would bring to one class.

    Attributes:
        name: Of the class.
        images: How many it has.
        accuracy: Share of its images that are named right.
        gain: What that would grow by, with a 95 % interval.
        needs_more: How sure it is that it gains more than all do, 0 to 1.
    """

    name: str
    images: int
    accuracy: float
    gain: Interval
    needs_more: float


class Growth(NamedTuple):
    """How accuracy grows with the images, each with its 95 % interval.

    Attributes:
        images: Number of images.
        points: From the smallest part of them to most of them.
        now: The accuracy with all of them.
        twice: The accuracy that twice as many would come to.
        gain: What that is above the accuracy of today; chance in what they show
            included.
        classes: In label order.
    """

    images: int
    points: tuple[Point, ...]
    now: Interval
    twice: Interval
    gain: Interval
    classes: tuple[ClassGrowth, ...]


def grow(
    features: Rows,
    labels: Labels,
    class_names: tuple[str, ...],
    seed: int = 0,
    progress: Progress = lambda done, of: None,
) -> Growth:
    """The learning curve of heads in closed form on these features.

    Args:
        features: `(images, channels)`.
        labels: Label index of each image, `(images,)`.
        class_names: In label order.
        seed: Decides which images are in which part.
        progress: Hears how far it is.

    Raises:
        DatasetError: There are fewer than two classes, or than four images a class.
    """
    check_enough(labels)
    answers = _ask(features, labels, len(class_names), seed, progress)
    return _conclude(answers, labels, class_names, seed)


def check_enough(labels: ArrayLike) -> None:
    """Passes where a curve can be drawn.

    Raises:
        DatasetError: There are fewer than two classes, or than four images a class.
    """
    images, classes = np.size(labels), len(np.unique(labels))
    if classes < 2 or images < FEWEST * classes:
        raise DatasetError(
            f"{images} training examples of {classes} classes are too few to tell how "
            "accuracy grows with them.",
            f"It takes two classes and {FEWEST} examples of each.",
        )


def _ask(
    features: Rows, labels: Labels, num_classes: int, seed: int, progress: Progress
) -> Answers:
    count, random = len(labels), np.random.default_rng(seed)
    shares = [s for s in _SHARES if s * count >= len(np.unique(labels))]
    draws = int(np.clip(_IMAGES / count, 1, _MOST_DRAWS))
    of, done = draws * sum(min(_parts(one), _MOST_HEADS) for one in shares), 0
    asked, right = np.zeros((2, len(shares), count))
    accuracies: list[list[float]] = [[] for _ in shares]
    for row, share in enumerate(shares):
        for _ in range(draws):
            for part in _deal(labels, share, random):
                progress(done, of)
                rest = np.setdiff1d(np.arange(count), part)
                rest = np.sort(random.permutation(rest)[:_MOST_ASKED])
                hits = _hits(features, labels, num_classes, part, rest)
                asked[row, rest] += 1
                right[row, rest] += hits
                accuracies[row].append(float(hits.mean()))
                done += 1
    sizes = count * np.array(shares)
    # The last share asks each image once, so it says more of images than of luck.
    luck = np.mean([np.var(a, ddof=1) for a in accuracies[:-1]] * sizes[:-1])
    return Answers(sizes, asked, right, float(luck))


def _parts(share: float) -> int:
    """Into how many parts the images are dealt out for it."""
    return round(1 / min(share, 1 - share))


def _deal(
    labels: Labels, share: float, random: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Some of the draws of that share of the images, of each class as large a one."""
    parts = _parts(share)
    order = random.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    part = np.empty(len(labels), np.int64)
    part[order] = np.arange(len(labels)) % parts
    for number in range(min(parts, _MOST_HEADS)):
        yield np.flatnonzero((part == number) == (share <= 1 / 2))


def _hits(
    features: Rows,
    labels: Labels,
    num_classes: int,
    part: NDArray[np.int64],
    rest: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Whether a head from one part names each of the rest right."""
    own = Part(features, part), labels[part]
    head = closed_form.solve(*own, num_classes, by_some=True)
    answers = features[rest].astype(np.float32) @ head.kernel + head.bias
    return np.asarray(answers.argmax(1) == labels[rest])


def _conclude(
    answers: Answers, labels: Labels, class_names: tuple[str, ...], seed: int
) -> Growth:
    random = np.random.default_rng([seed, 1])
    count, own = len(labels), np.bincount(labels, minlength=len(class_names))
    asked, right = resamples.draw(answers, labels, len(class_names), _RESAMPLES, random)
    errors = resamples.errors(asked.sum(2), right.sum(2))
    exponents = power_law.draw_exponents(_RESAMPLES, random)
    now, twice = _go_on(answers.sizes, errors, exponents, count, count)
    gains = twice - now
    chance = random.normal(0, np.sqrt(answers.luck / (2 * count)), _RESAMPLES)
    points = [
        Point(float(size) / len(class_names), _interval(1 - column[0], 1 - column))
        for size, column in zip(answers.sizes, errors.T, strict=True)
    ]
    few = slice(_OF_CLASS)
    classes = tuple(
        _class_growth(
            class_names[label],
            answers.sizes,
            resamples.errors(asked[few, :, label], right[few, :, label]),
            exponents,
            count,
            int(own[label]),
            gains,
        )
        for label in np.flatnonzero(own)
    )
    return Growth(
        images=count,
        points=tuple(points),
        now=_interval(now[0], now),
        twice=_interval(twice[0], twice + chance),
        gain=_gain(gains, chance),
        classes=classes,
    )


def _go_on(
    sizes: Floats, errors: Floats, exponents: Floats, images: int, judges: int
) -> tuple[Floats, Floats]:
    """The accuracies with all images and with twice as many, each `(resamples,)`."""
    to = np.array([images, 2 * images], np.float64)
    now, twice = 1 - power_law.go_on(sizes, errors, exponents, judges, to).T
    return now, twice


def _class_growth(
    name: str,
    sizes: Floats,
    errors: Floats,
    exponents: Floats,
    images: int,
    own: int,
    gains_of_all: Floats,
) -> ClassGrowth:
    few = len(errors)
    now, twice = _go_on(sizes, errors, exponents[:few], images, own)
    more = float(np.mean(twice - now > gains_of_all[:few]))
    gain = _gain(twice - now, np.zeros(few))
    return ClassGrowth(name, own, float(now[0]), gain, more)


def _interval(value: float, spread: Floats) -> Interval:
    """A share, and what most of these values lie between."""
    low, high = np.clip(np.quantile(spread, (0.025, 0.975)), 0, 1)
    return Interval(float(value), min(float(low), value), max(float(high), value))


def _gain(gains: Floats, chance: Floats) -> Interval:
    """More images do no harm but by chance."""
    return _interval(max(float(gains[0]), 0.0), gains + chance)
