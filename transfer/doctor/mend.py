"""Remedies are carried out: several at once are one revision, and undone as one."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from transfer.datasets import classes, editing, library
from transfer.datasets.revision import SPLITS, Change, Image, Revision
from transfer.doctor.finding import Action, Remedy


def carry_out(dataset: str, remedies: Sequence[Remedy], by: str = "") -> Revision:
    """The revision in which all of these are done.

    What is gone or left out meanwhile stays so; of two remedies for an image the first
    counts.

    Args:
        dataset: Name of the dataset.
        remedies: What to do; a merge of classes alone.
        by: Who asks for it.

    Returns:
        The newest revision; the one that was, if it says the same already.

    Raises:
        NotFoundError: There is no such dataset or class any more.
        StorageError: The workspace cannot be written.
    """
    if len(remedies) == 1 and remedies[0].does == "merge":
        ((into, merged),) = remedies[0].targets.items()
        return classes.merge(dataset, merged, into, by)

    def change(newest: Revision) -> Change | None:
        active = {image.sha256: image for image in newest.images}
        changed: dict[str, Image] = {}
        done: Counter[Action] = Counter()
        for remedy in remedies:
            for target, hashes in remedy.targets.items():
                mend = _MEND[remedy.does](newest, target)
                for sha256 in hashes:
                    if sha256 in active and sha256 not in changed:
                        changed[sha256] = mend(active[sha256])
                        done[remedy.does] += changed[sha256] != active[sha256]
        images = [one for sha, one in changed.items() if one != active[sha]]
        if not images:
            return None
        says = _says(done, images)
        return Change(says=says, made_at=time.time(), by=by, images=tuple(images))

    return library.amend(dataset, change)


def _move(revision: Revision, class_name: str) -> Callable[[Image], Image]:
    label = editing.label_of(revision, class_name)
    return lambda image: replace(image, label=label)


def _put(revision: Revision, split: str) -> Callable[[Image], Image]:
    side = next(one for one in SPLITS if one == split)
    return lambda image: replace(image, split=side)


def _leave_out(revision: Revision, reason: str) -> Callable[[Image], Image]:
    return lambda image: replace(image, left_out=reason)


_MEND: Mapping[str, Callable[[Revision, str], Callable[[Image], Image]]] = {
    "move": _move,
    "split": _put,
    "leave out": _leave_out,
}
_DONE: Mapping[str, str] = {
    "move": "moved {} to another class",
    "split": "put {} into another split",
    "leave out": "left {} out",
}


def _says(done: Counter[Action], images: Sequence[Image]) -> str:
    """What was done, in words for the user."""
    what = images[0].path if len(images) == 1 else ""
    said = [_DONE[one].format(what or f"{count:,}") for one, count in done.items()]
    return f"Doctor: {' and '.join(said)}."
