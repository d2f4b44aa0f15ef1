"""Revisions as files: one in a while is whole, the others say what they changed.

The list of 100,000 images has 16 MB, too much to write anew for each picture that is
corrected. So the file of a change, `REVISION.json` beside the others, holds the images
and the classes that it changed, the id of its parent, and the id of the last whole
revision. Whoever reads it takes the list of that one and lays on it what was changed
since.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from transfer import workspace
from transfer.datasets.revision import (
    SCHEMA,
    Change,
    Image,
    Revision,
    check_schema,
    read_images,
)
from transfer.datasets.sounds.windows import Cutting

#: Steps after which a revision is written whole again. A reader opens as many small
#: files at most, in a tenth of the time that the list of 100,000 images takes.
MOST_STEPS = 256
#: Changed images that count as one step more: they take as long to read.
_IMAGES_OF_A_STEP = 16

#: Revisions that a process keeps, the latest asked for; and images in all of them, of
#: which a million take 0.6 GB.
_MOST_KEPT, _MOST_IMAGES = 32, 3_000_000

#: What no revision has in common with the one before it, beside its images.
_OWN = ("id", "parent", "says", "by", "created_at")
#: What a change may say beside its images, only if there is any of it.
_MORE = ("classes", "labels", "grey", "flat", "cutting")


@dataclass(frozen=True, kw_only=True)
class Head:
    """What a file says of its revision, without the images.

    Attributes:
        id: The revision.
        parent: Id of the one that it was made of; empty for the first.
        says: What was changed, in words for the user.
        by: Who changed it; empty where nobody signs in.
        created_at: Seconds since the epoch.
        needs: Id of the revision that must be read before it; empty if it is whole.
    """

    id: str
    parent: str
    says: str
    by: str
    created_at: float
    needs: str


class _Known(NamedTuple):
    """A revision that was read.

    Attributes:
        revision: The revision.
        whole: Id of the whole one that it builds on, its own if it is whole.
        since_whole: Number of steps since that one.
    """

    revision: Revision
    whole: str
    since_whole: int


_kept: OrderedDict[tuple[Path, int], _Known] = OrderedDict()
_lock = Lock()


def read(path: Path) -> Revision:
    """The revision of a file, whichever version of the program wrote it.

    Raises:
        StorageError: A newer version wrote it.
        OSError, ValueError, TypeError, KeyError: It, or a file that it builds on, is
            missing or damaged.
    """
    return _know(path).revision


def head(path: Path) -> Head:
    """What the file of a revision says of it.

    Raises:
        StorageError, OSError, ValueError, TypeError, KeyError: As `read`.
    """
    return _read_head(path, path.stat().st_mtime_ns)


def hashes(path: Path) -> set[str]:
    """Hashes of the images that a file itself names, not those that it builds on.

    Raises:
        StorageError: A newer version wrote it.
        OSError, ValueError, TypeError, KeyError: It is missing or damaged.
    """
    data = _parse(path)
    rows = data["changed"] if "changed" in data else data["images"]
    return {image["sha256"] for image in (*rows, *data.get("left_out", ()))}


def write(path: Path, revision: Revision) -> None:
    """Writes a revision as a whole.

    Raises:
        StorageError: The workspace cannot be written.
    """
    workspace.write_atomically(path, json.dumps(revision.to_json()).encode())


def append(path: Path, change: Change) -> Revision:
    """Writes, beside the file of a revision, the one that a change makes of it.

    Raises:
        StorageError: The workspace cannot be written.
        OSError, ValueError, TypeError, KeyError: As `read`.
    """
    parent = _know(path)
    changed = _to_json(change)
    revision = replace(
        _lay_over(parent.revision, change),
        id=_id({"parent": parent.revision.id, **changed}),
        parent=parent.revision.id,
        says=change.says,
        by=change.by,
        created_at=change.made_at,
    )
    target = path.with_name(f"{revision.id}.json")
    since_whole = parent.since_whole + 1 + len(change.images) // _IMAGES_OF_A_STEP
    if since_whole >= MOST_STEPS:
        write(target, revision)
        return revision
    data = {
        "schema": SCHEMA,
        "dataset": revision.dataset,
        **{name: getattr(revision, name) for name in _OWN},
        "whole": parent.whole,
        "since_whole": since_whole,
        **changed,
    }
    workspace.write_atomically(target, json.dumps(data).encode())
    return revision


def _to_json(change: Change) -> dict[str, Any]:
    """What is changed, as plain data."""
    more = {name: getattr(change, name) for name in _MORE if getattr(change, name)}
    return {"changed": [image.to_json() for image in change.images], **more}


def _from_json(data: dict[str, Any]) -> Change:
    """The change that a file holds."""
    more: dict[str, Any] = {one: tuple(data[one]) for one in _MORE if one in data}
    if "cutting" in more:
        more["cutting"] = Cutting(*more["cutting"])
    images = read_images(data["changed"])
    return Change(says=data["says"], made_at=data["created_at"], images=images, **more)


def _id(content: dict[str, Any]) -> str:
    """Of the parent and the change: the parent's id stands for all that it holds.

    So none is its own ancestor; and nothing as long as the dataset has to be written
    out for it.
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _join(newest_first: Sequence[Change]) -> Change:
    """The one change that does what these do one after another."""
    labels: tuple[int, ...] = ()
    images: list[Image] = []
    for change in newest_first:
        # What came later gave the classes of this step new labels.
        images += [_relabel(image, labels) for image in reversed(change.images)]
        then = tuple(labels[label] for label in change.labels) if labels else ()
        labels = then or change.labels or labels
    return replace(
        newest_first[0],
        images=tuple(reversed(images)),
        labels=labels,
        classes=next((one.classes for one in newest_first if one.classes), ()),
        grey=next((one.grey for one in newest_first if one.grey), None),
        flat=tuple(path for one in reversed(newest_first) for path in one.flat),
        cutting=next((one.cutting for one in newest_first if one.cutting), None),
    )


def _lay_over(revision: Revision, change: Change) -> Revision:
    """The revision after a change; of two images of one hash the last counts."""
    latest = {image.sha256: image for image in change.images}
    old = (
        _relabel(image, change.labels)
        for image in (*revision.images, *revision.left_out)
        if image.sha256 not in latest
    )
    ordered = sorted([*old, *latest.values()], key=attrgetter("path"))
    return replace(
        revision,
        class_names=change.classes or revision.class_names,
        images=tuple(image for image in ordered if not image.left_out),
        left_out=tuple(image for image in ordered if image.left_out),
        grey=change.grey or revision.grey,
        flat=revision.flat + change.flat,
        cutting=change.cutting or revision.cutting,
    )


def _relabel(image: Image, labels: Sequence[int]) -> Image:
    # The very same where nothing changes: revisions share their images.
    if not labels or labels[image.label] == image.label:
        return image
    return replace(image, label=labels[image.label])


def _know(path: Path) -> _Known:
    # The time of its last change tells a new file from a kept one of that name.
    key = path, path.stat().st_mtime_ns
    with _lock:
        if found := _kept.get(key):
            _kept.move_to_end(key)
            return found
    found = _read(path)
    with _lock:
        _kept[key] = found
        while len(_kept) > 1 and _are_too_many():
            _kept.popitem(last=False)
    return found


def _are_too_many() -> bool:
    # Those that build on one whole revision share its images, as far as classes are the
    # same: with others each image has a new label.
    sizes = {
        (path.parent, known.whole, known.revision.class_names): len(
            known.revision.images
        )
        for (path, _), known in _kept.items()
    }
    return len(_kept) > _MOST_KEPT or sum(sizes.values()) > _MOST_IMAGES


def _read(path: Path) -> _Known:
    newest = _parse(path)
    if "images" in newest:
        return _Known(Revision.from_json(newest), path.stem, 0)
    steps = [newest]
    while steps[-1]["parent"] != newest["whole"]:
        if len(steps) > MOST_STEPS:
            raise ValueError(f"The parents of {path.name} never come to a whole one")
        steps.append(_parse(path.with_name(f"{steps[-1]['parent']}.json")))
    # From what is kept, if another revision was read that builds on it: all of these
    # share its images, and a hundred corrections take little more memory than one.
    whole = _know(path.with_name(f"{newest['whole']}.json")).revision
    revision = replace(
        _lay_over(whole, _join([_from_json(step) for step in steps])),
        **{name: newest.get(name, "") for name in _OWN},
    )
    return _Known(revision, newest["whole"], newest["since_whole"])


@lru_cache(maxsize=4096)
def _read_head(path: Path, modified: int) -> Head:
    data = _parse(path)
    said = {name: data.get(name, "") for name in _OWN}
    return Head(**said, needs="" if "images" in data else data["parent"])


def _parse(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path.name} is damaged: {error}") from error
    if not isinstance(data, dict):
        raise ValueError(f"{path.name} holds no manifest")
    check_schema(data)
    return data
