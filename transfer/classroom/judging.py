"""Judges a run by the hidden test set, in a process of its own."""

import logging
from collections.abc import Callable

import numpy as np

from transfer.classroom.hidden import HiddenSet, current
from transfer.datasets import library
from transfer.errors import NotFoundError, RunError
from transfer.evaluation import intervals
from transfer.evaluation.intervals import Interval
from transfer.prediction import models
from transfer.store.record import Run
from transfer.store.runs import Store

#: Pictures answered between two words about how far it is.
_PIECE = 256

_log = logging.getLogger(__name__)


def judge(store: Store, entry_id: int, told: Callable[[int, int], None]) -> Interval:
    """How well a run that was handed in does, which is kept.

    Args:
        told: Takes how many pictures are done, and how many there are.

    Raises:
        RunError: It cannot be judged; why is in the log alone.
    """
    entry, hidden = store.classroom.entry(entry_id), current(store)
    try:
        if entry is None or hidden is None or hidden.revision.id != entry.revision:
            raise NotFoundError("The test set was changed since.")
        found = _accuracy(store.get(entry.run), hidden, told)
    except Exception as error:
        # What it says may name pictures, and who handed the run in reads it.
        _log.exception("A run that was handed in could not be judged")
        raise RunError(
            "The run could not be judged by the hidden test set.",
            "Hand it in again; if that fails too, tell your instructor.",
        ) from error
    store.classroom.judge(entry_id, *found)
    return found


def _accuracy(
    run: Run, hidden: HiddenSet, told: Callable[[int, int], None]
) -> Interval:
    # As for photographs that somebody asks about, without features that are kept: by
    # these it could be told which pictures were judged.
    model, images = models.load(run.id), hidden.revision.images
    names, hits = hidden.revision.class_names, 0
    for start in range(0, len(images), _PIECE):
        told(start, len(images))
        piece = images[start : start + _PIECE]
        paths = [library.image_path(one.sha256) for one in piece]
        answers = model.probabilities([*paths]).argmax(1)
        hits += sum(
            model.class_names[answer] == names[image.label]
            for answer, image in zip(answers, piece, strict=True)
        )
    found = intervals.wilson(hits, len(images))
    # No finer than it is shown: what is kept tells no more.
    return Interval(*(float(np.round(one, 3)) for one in found))
