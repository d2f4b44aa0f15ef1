"""The revisions of a dataset: listed, gone back to, compared, pruned by rule."""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from transfer import workspace
from transfer.datasets import library, manifest, names
from transfer.datasets.lock import one_writer
from transfer.datasets.manifest import Head
from transfer.datasets.revision import Image, Revision
from transfer.errors import RunError, StorageError

#: Revisions that stay: so many of the last, all of so many days, the first, the newest,
#: those that runs name, and those that any of these builds on.
KEPT, KEPT_DAYS = 50, 30
_DAY = 86_400.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A revision in the list of all.

    Attributes:
        head: Who, when, what.
        is_newest: Whether it is how the dataset is now.
        is_undone: Whether it is not, and what is now does not come from it.
    """

    head: Head
    is_newest: bool
    is_undone: bool


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What tells a later revision from an earlier one.

    Attributes:
        added: Images that the earlier one does not know.
        gone: Images that the later one does not know.
        left_out: Images that only the later one leaves out.
        restored: Images that only the earlier one leaves out.
        moved: Images of another class by the names of both, `(before, after)`. A class
            that was renamed, or merged into another, moves its images.
        other_split: Images of another split.
        new_classes: Names of classes that only the later one has.
        gone_classes: Names of classes that only the earlier one has.
    """

    added: tuple[Image, ...]
    gone: tuple[Image, ...]
    left_out: tuple[Image, ...]
    restored: tuple[Image, ...]
    moved: dict[tuple[str, str], tuple[Image, ...]]
    other_split: tuple[Image, ...]
    new_classes: tuple[str, ...]
    gone_classes: tuple[str, ...]


def heads(dataset: str) -> list[Head]:
    """What is known of all revisions of a dataset, the one made last first.

    Raises:
        NotFoundError: There is no dataset of that name.
    """
    found = []
    for path in library.folder_of(dataset).glob("*.json"):
        try:
            found.append(manifest.head(path))
        except (OSError, ValueError, TypeError, KeyError, StorageError) as error:
            # Damaged, or pruned since it was listed: the others must still be shown.
            _log.warning("The revision %s is left out: %s", path.stem, error)
    return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)


def steps(dataset: str) -> list[Step]:
    """All revisions of a dataset, the one made last first.

    Raises:
        NotFoundError: There is no dataset of that name.
        StorageError: Its newest revision cannot be read.
    """
    newest, every = library.load(dataset).id, heads(dataset)
    parents = {one.id: one.parent for one in every}
    line, at = set[str](), newest
    while at in parents and at not in line:
        line.add(at)
        at = parents[at]
    return [
        Step(head=one, is_newest=one.id == newest, is_undone=one.id not in line)
        for one in every
    ]


def go_to(dataset: str, revision: str) -> Revision:
    """A revision of the dataset, which is its newest from now on.

    Those that were made after it stay in the list, and can be gone to again.

    Raises:
        NotFoundError: There is no dataset or no revision of that name.
        StorageError: The workspace cannot be written.
    """
    return _go_to(dataset, lambda newest: revision)


def undo(dataset: str, seen: str = "") -> Revision:
    """The revision before the newest; otherwise as `go_to`.

    Args:
        dataset: Name of the dataset.
        seen: Id of the revision that is to be undone; whichever is the newest if empty.

    Raises:
        RunError: There is nothing to undo, or another change came in between.
    """

    def before(newest: Revision) -> str:
        if seen not in ("", newest.id):
            raise RunError(
                f"Somebody else changed the dataset meanwhile: {newest.says}",
                "Look at it again, then undo that if you want to.",
            )
        if not newest.parent:
            raise RunError(
                f'Nothing was changed in the dataset "{names.title(dataset)}" that '
                "could be undone."
            )
        if newest.parent not in {one.id for one in heads(dataset)}:
            raise RunError(
                "What was before the last change is not kept any more: revisions are "
                f"for {KEPT_DAYS} days, and the last {KEPT}."
            )
        return newest.parent

    return _go_to(dataset, before)


def compare(before: Revision, after: Revision) -> Difference:
    """What changed from one revision of a dataset to another."""
    old, new = _by_hash(before), _by_hash(after)
    both = [(old[sha256], one) for sha256, one in new.items() if sha256 in old]
    moved: dict[tuple[str, str], list[Image]] = {}
    for was, one in both:
        pair = before.class_names[was.label], after.class_names[one.label]
        if pair[0] != pair[1]:
            moved.setdefault(pair, []).append(one)
    return Difference(
        added=tuple(one for sha256, one in new.items() if sha256 not in old),
        gone=tuple(one for sha256, one in old.items() if sha256 not in new),
        left_out=tuple(b for a, b in both if b.left_out and not a.left_out),
        restored=tuple(b for a, b in both if a.left_out and not b.left_out),
        moved={pair: tuple(images) for pair, images in moved.items()},
        other_split=tuple(b for a, b in both if a.split != b.split),
        new_classes=_only(after, before),
        gone_classes=_only(before, after),
    )


def prune(dataset: str, named: Collection[str]) -> int:
    """Removes old revisions, and the images that only they had; how many.

    Args:
        dataset: Name of the dataset.
        named: Ids of revisions that runs name.

    Raises:
        NotFoundError: There is no dataset of that name.
        StorageError: The workspace cannot be written.
    """
    with one_writer():
        every = heads(dataset)
        old = {one.id for one in every} - _ids_that_stay(dataset, every, named)
        for one in old:
            path = library.folder_of(dataset) / f"{one}.json"
            with workspace.writing(path):
                path.unlink(missing_ok=True)
    if old:
        library.remove_unused_images()
    return len(old)


def _ids_that_stay(
    dataset: str, every: Sequence[Head], named: Collection[str]
) -> set[str]:
    """Ids of those that stay, by the rule."""
    since = time.time() - KEPT_DAYS * _DAY
    waiting = {*named, library.load(dataset).id, *(one.id for one in every[:KEPT])}
    waiting |= {one.id for one in every if one.created_at > since or not one.parent}
    needs = {one.id: one.needs for one in every}
    kept = set[str]()
    while waiting := waiting & needs.keys() - kept:
        kept |= waiting
        waiting = {needs[one] for one in waiting}
    return kept


def _go_to(dataset: str, choose: Callable[[Revision], str]) -> Revision:
    """The revision that is chosen, given the newest, while no other writer works."""
    with one_writer():
        wanted = library.load(dataset, choose(library.load(dataset)))
        newest = library.folder_of(dataset) / "newest"
        workspace.write_atomically(newest, wanted.id.encode())
        return wanted


def _by_hash(revision: Revision) -> dict[str, Image]:
    return {one.sha256: one for one in (*revision.images, *revision.left_out)}


def _only(one: Revision, other: Revision) -> tuple[str, ...]:
    return tuple(name for name in one.class_names if name not in other.class_names)
