"""Single pictures that stand out: unreadable, dark, blurred, tiny, of odd shape."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer.datasets.revision import Revision
from transfer.datasets.wording import WORDS
from transfer.doctor.finding import Finding, Kind, Shown, leave_out, show
from transfer.doctor.one_look import Looks

#: A dataset in which more than this share of the pictures are so is so by its nature:
#: X-rays are dark, and drawings light.
_RARE = 0.1
#: Grey levels, of 255, below which the eye sees one flat colour.
_FLAT = 3.0
#: Levels that nearly all of a dark picture lies below, and of a light one above.
_DARK, _LIGHT = 60.0, 215.0
#: From here on a picture is blurred, if others of the dataset are not; 0.85 is when one
#: of 256 pixels was blurred over 5.
_BLURRED = 0.6
#: Pixels on its shorter side below which a picture is tiny, if others are larger.
_TINY = 48
#: Longer through shorter side from which a shape is odd.
_ODD = 2.5
#: Share of a class that lies or stands, for what does not to be odd.
_SAME_WAY = 0.95

Mask = NDArray[np.bool_]
Column = NDArray[np.float64]


class _Rule(NamedTuple):
    """What makes a picture stand out, and what is said of those."""

    kind: Kind
    measure: Callable[[NDArray[np.void]], Column]
    limit: float
    says: str
    reason: str


#: What is measured is larger the more it is so; `limit` is where it begins.
_RULES = (
    _Rule(
        "dark",
        lambda rows: 255 - rows["high"].astype(float),
        255 - _DARK,
        "very dark. What such pictures show can hardly be learnt, and not be told "
        "in val.",
        "Too dark.",
    ),
    _Rule(
        "light",
        lambda rows: rows["low"].astype(float),
        _LIGHT,
        "very light. What such pictures show can hardly be learnt, and not be told "
        "in val.",
        "Too light.",
    ),
    _Rule(
        "blurred",
        lambda rows: rows["blur"].astype(float),
        _BLURRED,
        "blurred, or enlarged from few pixels, which others here are not. Such "
        "pictures teach what blurred ones look like; they may stay if such are asked.",
        "Blurred.",
    ),
    _Rule(
        "tiny",
        lambda rows: -np.minimum(rows["width"], rows["height"]).astype(float),
        -_TINY,
        "tiny, and others here are not. Enlarged to what the model sees, such "
        "pictures are blurred.",
        "Tiny.",
    ),
    _Rule(
        "odd",
        lambda rows: _longer_through_shorter(rows),
        _ODD,
        "much longer one way than the other. Brought to the square that the model "
        "sees, such pictures are squeezed as no others. They may stay if such are "
        "asked; try another resizing for all (Model, Expert): a crop or a border "
        "keeps shapes.",
        "Of an odd shape.",
    ),
)


def findings(revision: Revision, looks: Looks) -> list[Finding]:
    """What stands out, one finding for each kind.

    Args:
        revision: The dataset.
        looks: At its images, in their order.
    """
    rows = looks.rows
    readable = np.ones(len(rows), bool)
    readable[[*looks.unreadable]] = False
    flat = readable & (rows["spread"] < _FLAT)
    found = [
        *_unreadable(revision, looks),
        *_all(revision, "constant", flat, 0.99, _CONSTANT, "Nearly constant."),
    ]
    seen = readable & ~flat
    for rule in _RULES:
        out, certainty = _outliers(rule.measure(rows), rule.limit, seen)
        found += _all(revision, rule.kind, out, certainty, rule.says, rule.reason)
    turned = _other_way(revision, rows, seen)
    found += _all(revision, "odd", turned, 0.6, _TURNED, "Turned unlike its class.")
    moving = seen & (rows["frames"] > 1)
    return found + _all(revision, "animated", moving, 0.95, _FIRST, "Of many pictures.")


_CONSTANT = (
    "one flat colour to the model. From such pictures nothing can be learnt, and in "
    "val they are told by chance."
)
_TURNED = (
    "lying where nearly all of the same class stand, or the other way. A picture that "
    "was turned by mistake looks like this; what is right may stay."
)
_FIRST = (
    "animated or of several pages. The first picture alone is used, the one shown "
    "here; others in the file are never seen."
)


def _all(
    revision: Revision,
    kind: Kind,
    mask: Mask,
    certainty: float,
    says: str,
    reason: str,
) -> list[Finding]:
    """The finding about these images, if there are any."""
    images = [revision.images[at] for at in np.flatnonzero(mask)]
    if not images:
        return []
    many = "1 image is" if len(images) == 1 else f"{len(images):,} images are"
    remedies = (leave_out(images, reason),)
    return [
        Finding(
            kind=kind,
            images=show(revision, images),
            certainty=certainty,
            says=f"{many} {says}",
            remedies=remedies,
        )
    ]


def _outliers(values: Column, limit: float, seen: Mask) -> tuple[Mask, float]:
    """Those beyond the limit and far from the others; and how sure that is."""
    beyond = seen & (values >= limit)
    if not beyond.any() or beyond.sum() > max(1, _RARE * seen.sum()):
        return np.zeros(len(values), bool), 0.0
    middle = float(np.median(values[seen]))
    spread = 1.4826 * float(np.median(np.abs(values[seen] - middle))) + 1e-6
    far = beyond & (values > middle + 3 * spread)
    if not far.any():
        return far, 0.0
    away = float(np.median((values[far] - middle) / spread))
    return far, float(np.clip(1 - 1.5 / away, 0.5, 0.98))


def _longer_through_shorter(rows: NDArray[np.void]) -> Column:
    sides = np.stack([rows["width"], rows["height"]]).astype(float)
    ratio: Column = sides.max(0) / np.maximum(sides.min(0), 1)
    return ratio


def _other_way(revision: Revision, rows: NDArray[np.void], seen: Mask) -> Mask:
    """Those that lie in a class that stands, or stand in one that lies."""
    labels = np.array([image.label for image in revision.images])
    way = np.sign(rows["width"].astype(int) - rows["height"].astype(int))
    out = np.zeros(len(rows), bool)
    for label in np.unique(labels):
        own = seen & (labels == label) & (way != 0)
        for side in (-1, 1):
            others = own & (way == side)
            if own.sum() >= 20 and 0 < others.sum() <= (1 - _SAME_WAY) * own.sum():
                out |= others
    return out


def _unreadable(revision: Revision, looks: Looks) -> list[Finding]:
    """Images that cannot be decoded, one finding each, and files never taken in."""
    found = [
        Finding(
            kind="unreadable",
            images=show(revision, [revision.images[at]]),
            certainty=1.0,
            says=f"{why} A training that needs it ends there.",
            remedies=(leave_out([revision.images[at]], "It cannot be read."),),
        )
        for at, why in looks.unreadable.items()
    ]
    return found + passed_over(revision)


def passed_over(revision: Revision) -> list[Finding]:
    """Files that were never taken in, but for those that came twice."""
    found = []
    for one in revision.passed_over:
        if not one.reason.startswith(WORDS[revision.kind].same_as):
            shown = Shown(sha256="", path=one.path, class_name="", split="")
            says = f"The import passed it over: {one.reason}"
            found.append(
                Finding(kind="unreadable", images=(shown,), certainty=1.0, says=says)
            )
    return found
