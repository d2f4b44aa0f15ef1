"""The hidden test set: runs that are handed in are judged by it, and nobody sees it.

It is a dataset of an instructor with a sharing of its own, so the one rule keeps it
from participants as any that is private. A job of the instructor's judges a run, and
leaves one accuracy with its interval; whatever goes wrong in it is told in its log
alone, for errors name pictures.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from transfer.datasets import library, manifest, names
from transfer.datasets.revision import Revision
from transfer.datasets.wording import WORDS
from transfer.errors import (
    DatasetError,
    NotAllowedError,
    NotFoundError,
    RunError,
    TransferError,
)
from transfer.runs import queue
from transfer.store import files
from transfer.store.classroom import HandIn
from transfer.store.people import Role
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.scope import Thing
from transfer.store.trash import DATASET

#: Runs that one person may have judged by one test set. Each try tells how many of its
#: labels a run has right: with a hundred, labels could be learnt from the answers
#: alone (Blum and Hardt 2015, https://arxiv.org/abs/1502.04585).
TRIES = 5
#: Runs or datasets that a message names.
_NAMED = 3

_log = logging.getLogger(__name__)


class HiddenSet(NamedTuple):
    """The hidden test set, for what runs on behalf of the instructor."""

    owner: str
    revision: Revision

    @property
    def classes(self) -> list[str]:
        """The classes of which it has images; runs must know them by these names."""
        every = self.revision.class_names
        return sorted({every[image.label] for image in self.revision.images})


def current(store: Store) -> HiddenSet | None:
    """The test set that is hidden now; `None` if there is none, or it is damaged."""
    if owned := store.whole().datasets.hidden_set():
        try:
            return HiddenSet(owned.owner or "", library.load(owned.name))
        except TransferError:
            _log.exception("The hidden test set cannot be read")
    return None


def hide(store: Store, name: str) -> None:
    """Makes a dataset the hidden test set; an empty name hides none any more.

    Raises:
        NotAllowedError: Who asks is no instructor, or does not own it.
        DatasetError: Participants can reach some of it already.
    """
    store.scope.check_server("class")
    if name:
        store.datasets.check("share", name)
        revision = library.load(name)
        if not revision.images:
            raise DatasetError(
                f'"{names.title(name)}" is empty: there is nothing to judge by.'
            )
        _check_unreached(store.with_trash(), revision)
    store.datasets.hide(name)


def hand_in(store: Store, run_id: str) -> HandIn:
    """A run of one's own, to be judged by the hidden test set; once for each run.

    Raises:
        NotFoundError: There is no such run, or no hidden test set.
        NotAllowedError: The run is somebody else's, or there were too many tries.
        RunError: It has no model.
        DatasetError: It does not know the classes of the test set.
    """
    run, hidden = store.get(run_id), current(store)
    if hidden is None:
        raise NotFoundError("There is no hidden test set now.", "Ask your instructor.")
    if not store.scope.actor.id or run.owner != store.scope.actor.id:
        raise NotAllowedError("Only your own runs can be handed in.")
    _check_classes(run, hidden)
    revision = hidden.revision.id
    entry = store.classroom.hand_in(
        run.owner, run.id, run.name, revision, hidden.owner, TRIES
    )
    queue.news.set()
    return entry


def _check_classes(run: Run, hidden: HiddenSet) -> None:
    known = run.result.get("class_names")
    if not known:
        raise RunError(f"Run {run.id} is {run.status} and has no model to judge.")
    if missing := [name for name in hidden.classes if name not in known]:
        raise DatasetError(
            f"The hidden test set has the classes {', '.join(hidden.classes)}; the run "
            f"does not know {', '.join(missing)}.",
            "Classes are matched by their names: rename those of your dataset to these "
            "on the page Data, and train again.",
        )


def _check_unreached(store: Store, revision: Revision) -> None:
    """Returns quietly where no participant can see any of the images.

    Raises:
        DatasetError: Some are in a run or a dataset of theirs, or in one that is
            shared.
    """
    participants = {
        one.id for one in store.people.all() if one.role is Role.PARTICIPANT
    }
    runs = [
        one
        for one in store.runs()
        if one.dataset == revision.dataset
        and (one.owner in participants or one.sharing != "private")
    ]
    if runs:
        named = ", ".join(one.id for one in runs[:_NAMED])
        raise DatasetError(
            f"Participants can see {len(runs)} runs on “{revision.title}”, and its "
            f"{WORDS[revision.kind].pictures} with them: {named}.",
            "Take a dataset on which nobody else has trained.",
        )
    hashes = {image.sha256 for image in (*revision.images, *revision.left_out)}
    for other, owned in _datasets(store):
        is_seen = owned.owner in participants or owned.sharing in ("read", "all")
        images = (*other.images, *other.left_out)
        same = hashes & {image.sha256 for image in images} if is_seen else ()
        if same and other.dataset != revision.dataset:
            raise DatasetError(
                f"Participants can see {WORDS[revision.kind].so_many(len(same))} of it "
                f"in “{other.title}”.",
                "Leave them out of one of the two, or take another dataset.",
            )


def _datasets(store: Store) -> Iterator[tuple[Revision, Thing]]:
    """All there are, and those in the trash, which their owners can restore."""
    found = library.list_datasets()
    yield from zip(
        found, store.datasets.of([one.dataset for one in found]), strict=True
    )
    for thrown in store.trash.all():
        if thrown.kind == DATASET:
            folder = files.in_trash(thrown.kind, thrown.id)
            with suppress(OSError, ValueError, TransferError):  # it may be damaged
                yield manifest.read(library.newest_in(folder)), thrown
