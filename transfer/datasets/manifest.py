"""Revisions as files: one in a while is whole, the others say what they changed.

The list of 100,000 images has 16 MB, too much to write anew for each picture that is
corrected. So the file of a correction, `REVISION.json` beside the others, holds the
images that it changed, the id of its parent, and the id of the last whole revision.
Whoever reads it takes the list of that one and lays on it what was changed since.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from transfer import workspace
from transfer.datasets.revision import SCHEMA, Change, Image, Revision, check_schema

#: Changed images after which a revision is written whole again. A reader opens as many
#: small files at most, in a tenth of the time that the list of 100,000 images takes.
MOST_CHANGED = 256

#: What no revision has in common with the one before it, beside its images.
_OWN = ("id", "parent", "says", "created_at")


class _Known(NamedTuple):
    """A revision that was read.

    Attributes:
        revision: The revision.
        whole: Id of the whole one that it builds on, its own if it is whole.
        since_whole: Number of images changed since that one.
    """

    revision: Revision
    whole: str
    since_whole: int


def read(path: Path) -> Revision:
    """The revision of a file, whichever version of the program wrote it.

    Raises:
        StorageError: A newer version wrote it.
        OSError, ValueError, TypeError, KeyError: It, or a file that it builds on, is
            missing or damaged.
    """
    return _know(path).revision


def hashes(path: Path) -> set[str]:
    """Hashes of the images that a file itself names, not those that it builds on.

    Raises:
        StorageError: A newer version wrote it.
        OSError, ValueError, TypeError, KeyError: It is missing or damaged.
    """
    data = _parse(path)
    rows = data["changed"] if "changed" in data else data["images"]
    return {image["sha256"] for image in rows}


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
    changed = [image.to_json() for image in change.images]
    revision = replace(
        _lay_over(parent.revision, change.images),
        id=_id({"parent": parent.revision.id, "changed": changed}),
        parent=parent.revision.id,
        says=change.says,
        created_at=change.made_at,
    )
    target = path.with_name(f"{revision.id}.json")
    since_whole = parent.since_whole + len(changed)
    if since_whole >= MOST_CHANGED:
        write(target, revision)
        return revision
    data = {
        "schema": SCHEMA,
        "dataset": revision.dataset,
        **{name: getattr(revision, name) for name in _OWN},
        "whole": parent.whole,
        "since_whole": since_whole,
        "changed": changed,
    }
    workspace.write_atomically(target, json.dumps(data).encode())
    return revision


def _id(content: dict[str, Any]) -> str:
    """Of the parent and the change: the parent's id stands for all that it holds.

    So no revision comes again when a change is taken back, and none is its own
    ancestor; and nothing as long as the dataset has to be written out for it.
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _lay_over(revision: Revision, images: Iterable[Image]) -> Revision:
    """The revision with these images, the last of each hash, over its own."""
    latest = {image.sha256: image for image in images}
    kept = [image for image in revision.images if image.sha256 not in latest]
    ordered = sorted([*kept, *latest.values()], key=attrgetter("path"))
    return replace(revision, images=tuple(ordered))


def _know(path: Path) -> _Known:
    # The time of its last change tells a new file from a cached one of that name.
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _read(path: Path, modified: int) -> _Known:
    newest = _parse(path)
    if "images" in newest:
        return _Known(Revision.from_json(newest), path.stem, 0)
    steps = [newest]
    while steps[-1]["parent"] != newest["whole"]:
        if len(steps) > MOST_CHANGED:
            raise ValueError(f"The parents of {path.name} never come to a whole one")
        steps.append(_parse(path.with_name(f"{steps[-1]['parent']}.json")))
    # From the cache, if another revision was read that builds on it: all of these
    # share its images, and a hundred corrections take little more memory than one.
    whole = _know(path.with_name(f"{newest['whole']}.json")).revision
    rows = (row for step in reversed(steps) for row in step["changed"])
    revision = replace(
        _lay_over(whole, [Image(**row) for row in rows]),
        **{name: newest[name] for name in _OWN},
    )
    return _Known(revision, newest["whole"], newest["since_whole"])


def _parse(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path.name} is damaged: {error}") from error
    if not isinstance(data, dict):
        raise ValueError(f"{path.name} holds no manifest")
    check_schema(data)
    return data
