"""Which images of a dataset are to be seen, and in which order."""

import base64
import binascii
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from transfer.datasets import chosen, facts, library
from transfer.datasets.revision import Image, Kind, Revision
from transfer.errors import NotFoundError
from transfer.gallery import answers, measures
from transfer.gallery.answers import Answers

Order = Literal[
    "chosen",
    "class",
    "name",
    "split",
    "pixels",
    "bytes",
    "taken",
    "seconds",
    "loudness",
    "day",
    "confidence",
    "loss",
    "disagreement",
]
ORDERS: tuple[Order, ...] = get_args(Order)
#: Orders that need what a run said; the last needs two.
OF_RUNS = ORDERS[-3:]
#: Orders that say nothing of the other kind of files.
_OF_ONE_KIND: dict[Kind, tuple[Order, ...]] = {
    "images": ("pixels", "bytes", "taken"),
    "sounds": ("seconds", "loudness", "day"),
}


def orders(kind: Kind) -> list[Order]:
    """The orders that mean something for files of this kind."""
    others = [x for own, found in _OF_ONE_KIND.items() if own != kind for x in found]
    return [one for one in ORDERS if one not in others]


@dataclass(frozen=True, kw_only=True)
class View:
    """A choice of images and an order.

    Attributes:
        dataset: Name of the dataset.
        revision: Id of its revision.
        classes: Only images of these; all if empty.
        splits: Only images of these; all if empty.
        text: Only images whose path holds it, in upper or lower case.
        chosen: Id of a choice, see `datasets.chosen`; of all images if empty.
        is_out: Whether those that are left out are to be seen, and no others.
        order: What they are sorted by; `chosen` is the order of the choice, of findings
            the surest first.
        is_descending: Whether the largest comes first.
        least: Only images of which what they are sorted by is no less: the pixels of
            the shorter side, bytes, seconds of a recording or since the epoch, dB of
            full scale, or shares from 0 to 1.
        most: Only images of which it is no more.
        run: Id of the run that says something of them; empty for none.
        other: Id of the run that it is compared with; empty for none.
    """

    dataset: str
    revision: str
    classes: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    text: str = ""
    chosen: str = ""
    is_out: bool = False
    order: Order = "class"
    is_descending: bool = False
    least: float | None = None
    most: float | None = None
    run: str = ""
    other: str = ""

    def to_token(self) -> str:
        """It in letters, digits, - and _, to be signed and put into an address."""
        told = {k: v for k, v in asdict(self).items() if v not in ("", (), None, False)}
        return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")

    @classmethod
    def from_token(cls, token: str) -> "View":
        """What `to_token` wrote.

        Raises:
            NotFoundError: It was not written by this version of the program.
        """
        try:
            padded = token + "=" * (-len(token) % 4)
            told = json.loads(base64.urlsafe_b64decode(padded))
            for name in ("classes", "splits"):
                told[name] = tuple(told.get(name, ()))
            return cls(**told)
        except (ValueError, TypeError, KeyError, binascii.Error) as error:
            raise NotFoundError("There is no such view of images.") from error


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The images of a view, in its order.

    Attributes:
        revision: Their revision.
        images: The images.
        answers: What the runs of the view said of each.
    """

    revision: Revision
    images: tuple[Image, ...]
    answers: Answers


def show(view: View) -> Shown:
    """The images of a view.

    Raises:
        NotFoundError: There is no such dataset, revision or choice.
        StorageError: They cannot be read.
    """
    return _show(view, answers.stamp(view.run), answers.stamp(view.other))


@lru_cache(maxsize=32)
def _show(view: View, *_: int) -> Shown:
    revision = library.load(view.dataset, view.revision)
    images = _filter(revision, view)
    said = answers.of(images, revision.class_names, view.run, view.other)
    order = _order(images, revision, view, said)
    return Shown(
        revision=revision,
        images=tuple(images[at] for at in order),
        answers=said.take(order),
    )


def _filter(revision: Revision, view: View) -> list[Image]:
    every = revision.left_out if view.is_out else revision.images
    names = revision.class_names
    labels = {label for label, name in enumerate(names) if name in view.classes}
    text = view.text.casefold()
    found = [
        one
        for one in every
        if (not view.classes or one.label in labels)
        and (not view.splits or one.split in view.splits)
        and (not text or text in one.path.casefold())
    ]
    if not view.chosen:
        return found
    by_hash = {one.sha256: one for one in found}
    return [by_hash[one] for one in chosen.load(view.chosen) if one in by_hash]


def _order(
    images: list[Image], revision: Revision, view: View, said: Answers
) -> NDArray[np.int64]:
    """Positions of those that are wanted, in order; what says nothing comes last."""
    values = _values(images, revision, view.order, said)
    last = -values if view.is_descending else values
    order = np.argsort(np.where(np.isnan(values), np.inf, last), kind="stable")
    if view.least is not None or view.most is not None:
        # Nothing is known of the others, so that they are not among them either way.
        inside = values >= (-np.inf if view.least is None else view.least)
        inside &= values <= (np.inf if view.most is None else view.most)
        order = order[inside[order]]
    return order.astype(np.int64)


def _values(
    images: list[Image], revision: Revision, order: Order, said: Answers
) -> NDArray[np.float64]:
    if order == "chosen":
        return np.arange(len(images), dtype=float)
    if order == "class":
        return np.array([one.label for one in images], float)
    if order == "split":
        places = {"train": 0, "val": 1, "test": 2}
        return np.array([places[one.split] for one in images], float)
    if order == "name":
        names = [one.path.rpartition("/")[2].casefold() for one in images]
        return np.argsort(np.argsort(names, kind="stable")).astype(float)
    if order in OF_RUNS:
        return np.asarray(getattr(said, order), float)
    if order == "day":
        days = np.array([one.day for one in images], float)
        return np.where(days > 0, days * 86_400, np.nan)
    if order in ("seconds", "loudness"):
        return measures.of(revision.dataset, images)[order].astype(float)
    known: NDArray[Any] = facts.of(revision.dataset, images)
    if order == "pixels":
        return np.asarray(np.minimum(known["width"], known["height"]), float)
    column = known[order].astype(float)
    return np.asarray(np.where(column > 0, column, np.nan), float)
