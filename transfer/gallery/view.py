"""Which images of a dataset are to be seen, and in which order."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args, overload

import numpy as np
from numpy.typing import NDArray

from transfer.datasets import chosen, facts, library
from transfer.datasets.revision import SPLITS, Image, Kind, Revision
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
#: Orders by what the files of pictures say.
OF_PICTURES: tuple[Order, ...] = ("pixels", "bytes", "taken")
#: Orders that say nothing of the other kind of files.
_OF_ONE_KIND: dict[Kind, tuple[Order, ...]] = {
    "images": OF_PICTURES,
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


class Picked(Sequence[Image]):
    """Some images in an order of their own, of which only the numbers are held.

    Of a million images each view would take 8 MB otherwise, and twice that to be made.

    Args:
        every: The images out of which these are.
        order: Their positions there.
    """

    def __init__(self, every: Sequence[Image], order: NDArray[np.int32]) -> None:
        self._every, self._order = every, order

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, at: int) -> Image: ...
    @overload
    def __getitem__(self, at: slice) -> "Picked": ...
    def __getitem__(self, at: int | slice) -> "Image | Picked":
        """One of them, or a part."""
        if isinstance(at, slice):
            return Picked(self._every, self._order[at])
        return self._every[int(self._order[at])]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The images of a view, in its order.

    Attributes:
        revision: Their revision.
        images: The images.
        answers: What the runs of the view said of each.
    """

    revision: Revision
    images: Picked
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
    every = revision.left_out if view.is_out else revision.images
    columns = _columns(view.dataset, revision.id, view.is_out)
    found = _filter(every, columns, revision, view)
    images = Picked(every, found)
    said = answers.of(images, revision, view.run, view.other)
    order = _order(images, columns, found, revision, view, said)
    return Shown(
        revision=revision, images=Picked(every, found[order]), answers=said.take(order)
    )


class _Columns(NamedTuple):
    """What most views ask of every image: labels, and positions in `SPLITS`."""

    labels: NDArray[np.int32]
    splits: NDArray[np.int8]


@lru_cache(maxsize=8)
def _columns(dataset: str, revision: str, is_out: bool) -> _Columns:
    found = library.load(dataset, revision)
    every = found.left_out if is_out else found.images
    places = {split: at for at, split in enumerate(SPLITS)}
    return _Columns(
        np.fromiter((one.label for one in every), np.int32, len(every)),
        np.fromiter((places[one.split] for one in every), np.int8, len(every)),
    )


def _filter(
    every: Sequence[Image], columns: _Columns, revision: Revision, view: View
) -> NDArray[np.int32]:
    """Positions of the images that are wanted."""
    is_wanted = np.ones(len(every), bool)
    if view.classes:
        is_wanted &= np.array([name in view.classes for name in revision.class_names])[
            columns.labels
        ]
    if view.splits:
        is_wanted &= np.array([one in view.splits for one in SPLITS])[columns.splits]
    found = np.flatnonzero(is_wanted).astype(np.int32)
    if text := view.text.casefold():
        has_it = (text in one.path.casefold() for one in Picked(every, found))
        found = found[np.fromiter(has_it, bool, len(found))]
    if not view.chosen:
        return found
    wanted = chosen.load(view.chosen)
    among, places = set(wanted), dict[str, int]()
    for at, one in zip(found.tolist(), Picked(every, found), strict=True):
        if one.sha256 in among:
            places[one.sha256] = at
    return np.array([places[one] for one in wanted if one in places], np.int32)


def _order(
    images: Picked,
    columns: _Columns,
    found: NDArray[np.int32],
    revision: Revision,
    view: View,
    said: Answers,
) -> NDArray[np.int64]:
    """Positions of those that are wanted, in order; what says nothing comes last."""
    some = _Columns(columns.labels[found], columns.splits[found])
    values = _values(images, some, revision, view.order, said)
    last = -values if view.is_descending else values
    order = np.argsort(np.where(np.isnan(values), np.inf, last), kind="stable")
    if view.least is not None or view.most is not None:
        # Nothing is known of the others, so that they are not among them either way.
        inside = values >= (-np.inf if view.least is None else view.least)
        inside &= values <= (np.inf if view.most is None else view.most)
        order = order[inside[order]]
    return order


def _values(
    images: Picked, columns: _Columns, revision: Revision, order: Order, said: Answers
) -> NDArray[np.float64]:
    if order == "chosen":
        return np.arange(len(images), dtype=float)
    if order == "class":
        return columns.labels.astype(float)
    if order == "split":
        return columns.splits.astype(float)
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
