"""What a run shows while it learns: its answers on val, and what moves in the backbone.

A small file beside the run, replaced as a whole, so that a page reads one state.
"""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer import workspace
from transfer.store import files

#: Val images whose answers are followed, and how many of their states are kept.
PINNED = 6
_STATES = 60
#: Above so many classes a confusion cannot be read, and would make the file large.
MOST_CLASSES = 40
#: Least seconds between two writes.
_PAUSE = 3.0


@dataclass
class Watched:
    """The state that is shown.

    Attributes:
        phase: `head` or `fine_tune`.
        epoch: Epoch of that phase; 0 is where it started.
        confusion: Number of val images by right label (rows) and answered label
            (columns); empty for many classes.
        pinned: Positions of the followed images among those of val.
        states: For each epoch kept its phase, its number and, for each pinned image,
            the answered label, its probability and that of the right label.
        blocks: How far each block is from its start, relative to that; exactly 0 for
            a frozen one.
    """

    phase: str = ""
    epoch: int = 0
    confusion: list[list[int]] = field(default_factory=list)
    pinned: list[int] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    blocks: dict[str, float] = field(default_factory=dict)


class Watch:
    """Takes in what a training tells and writes it now and then.

    Args:
        run_id: The run.
    """

    def __init__(self, run_id: str) -> None:
        self._path = files.watch_file(run_id)
        self._watched = load(run_id) or Watched()
        self._lock = threading.Lock()
        self._is_new, self._due = False, 0.0

    def answers(
        self,
        phase: str,
        epoch: int,
        labels: NDArray[np.int32],
        probabilities: NDArray[np.float32],
    ) -> None:
        """See `Listener.answers`."""
        answered, classes = probabilities.argmax(1), probabilities.shape[1]
        with self._lock:
            now = self._watched
            now.pinned = now.pinned or choose_images(labels)
            now.phase, now.epoch = phase, epoch
            if classes <= MOST_CLASSES:
                pairs = labels * classes + answered
                counts = np.bincount(pairs, minlength=classes**2)
                now.confusion = counts.reshape(classes, classes).tolist()
            state = [
                [
                    int(answered[i]),
                    round(float(probabilities[i].max()), 4),
                    round(float(probabilities[i, labels[i]]), 4),
                ]
                for i in now.pinned
            ]
            before = _before(now.states, phase, epoch)
            now.states = [*before, {"phase": phase, "epoch": epoch, "answers": state}]
            if len(now.states) > _STATES:  # every second one, and always the last
                now.states = [*now.states[:-1:2], now.states[-1]]
            self._is_new = True

    def changes(self, blocks: Mapping[str, float]) -> None:
        """See `Listener.changes`."""
        with self._lock:
            self._watched.blocks = dict(blocks)
            self._is_new = True

    def write(self, always: bool = False) -> None:
        """Writes what is new, if the last time is long enough ago or `always`.

        Raises:
            StorageError: The disk is full or the folder cannot be written.
        """
        with self._lock:
            now = time.monotonic()
            if not self._is_new or (now < self._due and not always):
                return
            content = json.dumps(asdict(self._watched)).encode()
            self._is_new, self._due = False, now + _PAUSE
        workspace.write_atomically(self._path, content)


def choose_images(labels: NDArray[np.int32]) -> list[int]:
    """Positions of up to `PINNED` images, of as many classes as there can be.

    Args:
        labels: Right label of each image.
    """
    order = np.random.default_rng(0).permutation(len(labels))
    by_class: dict[int, list[int]] = {}
    for position in order:
        by_class.setdefault(int(labels[position]), []).append(int(position))
    turns = max(map(len, by_class.values()), default=0)
    chosen = [
        of_class[turn]
        for turn in range(min(turns, PINNED))
        for _, of_class in sorted(by_class.items())
        if turn < len(of_class)
    ]
    return chosen[:PINNED]


def _before(states: list[dict[str, Any]], phase: str, epoch: int) -> list[Any]:
    """The states before an epoch, which a resumed run does once more."""
    order = ("head", "fine_tune")

    def at(name: str, number: int) -> tuple[int, int]:
        return (order.index(name) if name in order else -1, number)

    now = at(phase, epoch)
    return [one for one in states if at(one["phase"], one["epoch"]) < now]


def version(run_id: str) -> int:
    """A number that is another once there is something new; 0 before the first."""
    try:
        return files.watch_file(run_id).stat().st_mtime_ns
    except OSError:
        return 0


def load(run_id: str) -> Watched | None:
    """What is shown of a run; `None` if there is nothing to be read."""
    try:
        return Watched(**json.loads(files.watch_file(run_id).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
