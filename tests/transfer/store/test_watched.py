"""What a run shows while it learns."""

from pathlib import Path

import numpy as np

from transfer import workspace as folders
from transfer.store import watched

LABELS = np.array([0, 0, 0, 1, 1, 2], np.int32)


def answers(right: int) -> np.ndarray:
    """Probabilities with which the first so many images are answered right."""
    chosen = np.where(np.arange(6) < right, LABELS, (LABELS + 1) % 3)
    return np.eye(3, dtype=np.float32)[chosen]


def test_watch__the_confusion_and_the_pinned_images(workspace: Path) -> None:
    folders.folder("runs", "ab")
    watch = watched.Watch("ab")
    watch.answers("head", 0, LABELS, answers(0))
    watch.answers("head", 1, LABELS, answers(5))
    watch.changes({"stem": 0.0, "top": 0.25})
    watch.write()
    seen = watched.load("ab")
    assert seen and (seen.phase, seen.epoch) == ("head", 1)
    assert seen.confusion == [[3, 0, 0], [0, 2, 0], [1, 0, 0]]
    assert seen.blocks == {"stem": 0.0, "top": 0.25}
    assert [state["epoch"] for state in seen.states] == [0, 1]
    position = seen.pinned.index(5)
    assert seen.states[1]["answers"][position] == [0, 1.0, 0.0]


def test_watch__writes_seldom_and_what_is_left_at_the_end(workspace: Path) -> None:
    folders.folder("runs", "ab")
    watch = watched.Watch("ab")
    for epoch in (1, 2):
        watch.answers("head", epoch, LABELS, answers(epoch))
        watch.write()
    seen = watched.load("ab")
    assert seen and seen.epoch == 1
    watch.write(always=True)
    seen = watched.load("ab")
    assert seen and seen.epoch == 2


def test_watch__an_epoch_done_once_more_replaces_what_came_after(
    workspace: Path,
) -> None:
    folders.folder("runs", "ab")
    watch = watched.Watch("ab")
    for epoch in (1, 2, 3):
        watch.answers("head", epoch, LABELS, answers(1))
    watch.answers("fine_tune", 0, LABELS, answers(1))
    watch.write()
    again = watched.Watch("ab")
    again.answers("head", 2, LABELS, answers(1))
    again.write()
    seen = watched.load("ab")
    assert seen and [state["epoch"] for state in seen.states] == [1, 2]


def test_watch__keeps_a_bounded_number_of_states(workspace: Path) -> None:
    folders.folder("runs", "ab")
    watch = watched.Watch("ab")
    for epoch in range(1, 500):
        watch.answers("head", epoch, LABELS, answers(1))
    watch.write()
    seen = watched.load("ab")
    assert seen and 20 < len(seen.states) <= 61
    assert seen.states[-1]["epoch"] == 499


def test_choose_images__of_as_many_classes_as_there_are() -> None:
    chosen = watched.choose_images(LABELS)
    assert len(set(chosen)) == 6
    assert [int(LABELS[i]) for i in chosen[:3]] == [0, 1, 2]
    assert watched.choose_images(np.array([], np.int32)) == []


def test_load__none_where_nothing_can_be_read(workspace: Path) -> None:
    assert watched.load("ab") is None
    (folders.folder("runs", "ab") / "watched.json").write_text("{")
    assert watched.load("ab") is None
