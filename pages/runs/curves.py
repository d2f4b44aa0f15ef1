"""Curves of a training: what was read of a run's metrics, as points of a chart."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple, TypeVar

import streamlit as st

from transfer.runs.shared_reads import OncePerHeartbeat
from transfer.store import outcome
from transfer.store.outcome import PHASES
from transfer.store.record import Metric, Run
from transfer.store.runs import Store

#: Points of one chart; more cannot be told apart and make each tick slower.
MAX_POINTS = 400

Item = TypeVar("Item")
_Epoch = tuple[str, int]


class Point(NamedTuple):
    """A point of a curve.

    Attributes:
        position: On the axis of epochs, on which fine-tuning follows the head phase.
        value: Finite.
        split: `train` or `val`.
        words: Phase, epoch and, within one that goes on, step.
        is_whole: Whether it is of a whole epoch.
        is_best: Whether it is of the best epoch, on val.
    """

    position: float
    value: float
    split: str
    words: str
    is_whole: bool
    is_best: bool


@dataclass
class Curves:
    """What has been read of a run's metrics, ready to be drawn.

    Of an epoch that goes on, the mean over the last so many steps as an epoch has
    stands in, so that it grows out of the epoch before and ends at its own mean.

    Attributes:
        last_id: Id of the newest metric that is in.
    """

    last_id: int = 0
    _epochs: dict[_Epoch, dict[str, float]] = field(default_factory=dict)
    _steps: dict[_Epoch, dict[str, dict[int, float]]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured yet."""
        return not self.last_id

    def add(self, metrics: Iterable[Metric]) -> None:
        """Takes in newer values, in the order in which they were stored."""
        for one in metrics:
            epoch = one.phase, one.epoch
            self.last_id = max(self.last_id, one.id)
            if one.step is None:
                self._epochs.setdefault(epoch, {})[one.name] = one.value
                # The mean of the whole epoch says it better than its steps did.
                self._steps.pop(epoch, None)
            # Steps of an epoch that is whole come late after a resume; they are old
            # news.
            elif epoch not in self._epochs:
                named = self._steps.setdefault(epoch, {}).setdefault(one.name, {})
                named[one.step] = one.value

    def points(
        self,
        name: str,
        head_epochs: int,
        steps: int = 0,
        best: tuple[str, int] | None = None,
    ) -> list[Point]:
        """The points of one chart, along each curve.

        Args:
            name: `loss`, `accuracy` or `balanced_accuracy`.
            head_epochs: Where fine-tuning begins on the axis of epochs.
            steps: Steps of an epoch; 0 where they are not known yet.
            best: Phase and number of the best epoch; marked if it is one of them.
        """
        points: list[Point] = []
        best = best if best in self._epochs else None
        shown = dict(_thin(list(self._epochs.items()), MAX_POINTS // 4))
        if best:  # which thinning may have left out
            shown[best] = self._epochs[best]
        for epoch, values in sorted(shown.items(), key=_order(head_epochs)):
            at = _position(epoch, head_epochs)
            for split, key in (("train", name), ("val", f"val_{name}")):
                is_best = epoch == best and split == "val"
                value = values.get(key, math.nan)
                points.append(Point(at, value, split, _words(epoch), True, is_best))
        for epoch, named in self._steps.items():
            by_step = named.get(name, {})
            before = self._before(epoch, head_epochs).get(name)
            going_on = _going_on(epoch, by_step, before, head_epochs, steps)
            points += _thin(going_on, MAX_POINTS // 4)
        return [one for one in points if math.isfinite(one.value)]

    def whole_epochs(self) -> list[tuple[str, dict[str, float]]]:
        """Phase and values of each whole epoch, in the order of training."""
        return [
            (PHASES.get(phase, phase), values)
            for (phase, _), values in self._epochs.items()
        ]

    def _before(self, epoch: _Epoch, head_epochs: int) -> dict[str, float]:
        """Values of the epoch before; empty for the first of all.

        Where a phase ended early, the epoch before is further away than one.
        """
        at = _position(epoch, head_epochs)
        earlier = [one for one in self._epochs if _position(one, head_epochs) < at]
        return self._epochs[earlier[-1]] if earlier else {}


class Drawn(NamedTuple):
    """What is shown of a run's metrics.

    Attributes:
        points: Those of the charts of `loss` and of what the run is judged by.
        epochs: Phase and values of each whole epoch, in the order of training.
    """

    points: dict[str, list[Point]]
    epochs: list[tuple[str, dict[str, float]]]


def draw(store: Store, run: Run) -> Drawn:
    """What is shown of the run now, drawn up once for all who look at it."""
    curves, once = _of_start(run.id, run.started_at)
    return once.get(run, lambda: _draw(store, run, curves))


@st.cache_resource(max_entries=100, show_spinner=False)
def _of_start(
    run_id: str, started_at: float | None
) -> tuple[Curves, OncePerHeartbeat[Drawn]]:
    """New ones for each start: what was measured before a resume is read anew."""
    return Curves(), OncePerHeartbeat()


def _draw(store: Store, run: Run, curves: Curves) -> Drawn:
    # A worker that resumes a run drops what it will measure once more, and only then
    # tells of any progress.
    if run.progress or run.status.is_final:
        # Of what is old the whole epochs do: a long run has a hundred thousand steps.
        if curves.is_empty:
            curves.add(store.metrics.of_epochs(run.id))
        curves.add(store.metrics.after(run.id, curves.last_id))
    steps, told = int(run.progress.get("steps") or 0), run.result or run.progress
    best = told.get("best_phase", ""), int(told.get("best_epoch") or 0)
    points = {
        name: curves.points(name, run.config.head_epochs, steps, best)
        for name in ("loss", outcome.measure(run))
    }
    return Drawn(points, curves.whole_epochs())


def _position(epoch: _Epoch, head_epochs: int) -> float:
    phase, number = epoch
    return number + (head_epochs if phase == "fine_tune" else 0)


def _order(head_epochs: int) -> Callable[[tuple[_Epoch, dict[str, float]]], float]:
    return lambda item: _position(item[0], head_epochs)


def _words(epoch: _Epoch) -> str:
    phase, number = epoch
    return f"{PHASES.get(phase, phase)}, epoch {number}"


def _going_on(
    epoch: _Epoch,
    values: dict[int, float],
    before: float | None,
    head_epochs: int,
    steps: int,
) -> list[Point]:
    """Points of an epoch's steps until now.

    The mean over the new steps alone would begin with the noise of a single batch, a
    spike at each epoch's start; so the steps of the epoch `before` that are still
    among the last `steps` count with that epoch's mean.
    """
    start, of = _position(epoch, head_epochs) - 1, max(steps, *values, 1)
    points = []
    for count, (step, total) in enumerate(
        zip(values, accumulate(values.values()), strict=True), 1
    ):
        old = 0 if before is None else max(of - count, 0)
        mean = (total + old * (before or 0.0)) / (count + old)
        words = f"{_words(epoch)}, step {step}"
        points.append(Point(start + step / of, mean, "train", words, False, False))
    return points


def _thin(items: list[Item], limit: int) -> list[Item]:
    """At most `limit` of the items, evenly spaced, and always the last."""
    # Counted from the end: the newest point is the one that is watched.
    stride = max(1, math.ceil(len(items) / limit))
    return items[(len(items) - 1) % stride :: stride] if items else []
