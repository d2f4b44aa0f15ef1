"""Whether there are images enough: how that is asked for, kept and said."""

import json
from pathlib import Path
from typing import Any

from transfer import workspace
from transfer.advice.growth import ClassGrowth, Growth, Point
from transfer.datasets.decoding import Resizing
from transfer.datasets.revision import Kind, Revision
from transfer.datasets.wording import WORDS
from transfer.evaluation.intervals import Interval
from transfer.runs.requests import Request

#: Below so small a gain, a share of 0 to 1, more images are not worth the work.
_NOTHING = 0.005
#: A class that so surely gains more than all do is named; so many at most.
_SURE, _NAMED = 0.8, 3


def request(revision: Revision, resizing: Resizing = "stretch") -> Request:
    """A learning curve of this revision, on features of the best backbone at hand."""
    words = ["enough", revision.dataset, "--revision", revision.id]
    if resizing != "stretch":
        words.append(f"--resizing={resizing}")
    return Request("enough", revision.id, tuple(words), revision.dataset)


def in_words(growth: Growth, kind: Kind = "images") -> str:
    """What twice as many images would bring, and which classes need them most."""
    more = f"twice as many {WORDS[kind].images} would bring"
    low, high = 100 * growth.gain.low, 100 * growth.gain.high
    if growth.gain.high < _NOTHING:
        return f"Enough: {more} less than half a point."
    digits = 0 if high >= 3 else 1
    ends = f"{low:.{digits}f} to {high:.{digits}f}"
    brings = ends if round(low, digits) > 0 else f"up to {high:.{digits}f}"
    names = [one.name for one in neediest(growth)]
    if not names:
        which = "no class clearly needs them more than the others"
    elif len(names) == 1:
        which = f"the class {names[0]} needs them most"
    else:
        which = f"{', '.join(names[:-1])} and {names[-1]} need them most"
    return f"{more.capitalize()} {brings} points; {which}."


def neediest(growth: Growth) -> list[ClassGrowth]:
    """The classes that surely gain more than all do, most first; few of them."""
    sure = [
        one
        for one in growth.classes
        if one.needs_more >= _SURE and one.gain.value >= _NOTHING
    ]
    return sorted(sure, key=lambda one: -one.gain.value)[:_NAMED]


def keep(revision: Revision, growth: Growth) -> None:
    """Keeps it until the dataset is deleted.

    Raises:
        StorageError: The workspace cannot be written.
    """
    content = json.dumps(to_json(growth, revision.kind)).encode()
    workspace.write_atomically(_path(revision), content)


def read(revision: Revision) -> Growth | None:
    """What was found of this revision; None if nobody asked, or it is damaged."""
    try:
        return _from_json(json.loads(_path(revision).read_bytes()))
    # That of another version has other fields, and counts as none.
    except (OSError, ValueError, TypeError, KeyError):
        return None


def to_json(growth: Growth, kind: Kind = "images") -> dict[str, Any]:
    """Plain data, with what it says in words."""
    return {
        "says": in_words(growth, kind),
        "images": growth.images,
        "now": growth.now.to_json(),
        "twice": growth.twice.to_json(),
        "gain": growth.gain.to_json(),
        "points": [
            {"images_per_class": size, "accuracy": accuracy.to_json()}
            for size, accuracy in growth.points
        ],
        "classes": [
            {**one._asdict(), "gain": one.gain.to_json()} for one in growth.classes
        ],
    }


def _from_json(data: dict[str, Any]) -> Growth:
    read = Interval.from_json
    return Growth(
        images=data["images"],
        points=tuple(
            Point(one["images_per_class"], read(one["accuracy"]))
            for one in data["points"]
        ),
        now=read(data["now"]),
        twice=read(data["twice"]),
        gain=read(data["gain"]),
        classes=tuple(
            ClassGrowth(**{**one, "gain": read(one["gain"])}) for one in data["classes"]
        ),
    )


def _path(revision: Revision) -> Path:
    folder = workspace.home() / "datasets" / revision.dataset / "enough"
    return folder / f"{revision.id}.json"
