"""One phase of a training: the loop over epochs, on cached features."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from transfer.errors import TrainingError
from transfer.store.outcome import PHASES
from transfer.training.best import Best, Reached, losses_of
from transfer.training.blends import Trail
from transfer.training.examples import BySplit
from transfer.training.listener import Listener
from transfer.training.snapshot import Snapshot
from transfer.training.steps import Learnt, Steps, value, values

#: Share of right answers in training above which the images are known by heart.
_BY_HEART = 0.99


class StepTooSlow(Exception):
    """Raised out of a phase whose steps are so long that it cannot be asked to stop."""


@dataclass
class _Epoch:
    """An epoch until now.

    Attributes:
        number: Counted from 1 in each phase.
        steps: Steps done.
        images: Images that they have seen.
        sums: Loss times images, right answers, images, and right answers again, each
            counted for as much as its class.
    """

    number: int
    steps: int = 0
    images: int = 0
    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))

    @property
    def until_now(self) -> Reached:
        """Until now; classes are balanced if they are weighted in the loss."""
        loss, right, images, balanced = map(float, self.sums)
        return Reached(loss / images, right / images, balanced / images)

    def add(self, done: Learnt, images: int) -> None:
        """Counts the steps of one call, in an epoch of so many images."""
        self.steps += len(done.losses)
        # A batch that was filled up has seen no image twice.
        self.images = min(self.images + done.images, images)
        # Exactly: how many steps a call has depends on the time that they take, and a
        # resumed run is to tell the same as one that was never stopped.
        losses, right, counts, balanced = (one.astype(np.float64) for one in done[:4])
        self.sums += [losses @ counts, right.sum(), counts.sum(), balanced.sum()]


class Phase:
    """One phase of a training.

    Args:
        name: `head` or `fine_tune`.
        steps: What is computed, what of it trains, and how.
        examples: What is learnt from, and what the best epoch is chosen by: val may be
            empty, then the last epoch counts as the best.
        best: Updated with every epoch that beats it.
        listener: Hears of every step and epoch.
        measure_changes: Tells how far each block is from its start.
        trail: Notes where its epochs end.

    Attributes:
        kept: The last snapshot; `None` before `run`.
    """

    def __init__(
        self,
        name: str,
        steps: Steps,
        examples: BySplit,
        best: Best,
        listener: Listener,
        measure_changes: Callable[[], dict[str, float]] = dict,
        trail: Trail | None = None,
    ) -> None:
        self.name, self.steps, self.trail = name, steps, trail or Trail()
        self.kept: Snapshot | None = None
        self._train, self._val = examples["train"], examples["val"]
        self._best, self._listener = best, listener
        self._measure_changes = measure_changes

    def run(self, epochs: int, start: Snapshot | None = None) -> None:
        """Trains for `epochs` epochs or until a stop is requested.

        Args:
            epochs: Passes over the training images.
            start: Goes on from here, to the same end as without the pause.

        Raises:
            TrainingError: The loss became infinite or not a number.
            StepTooSlow: Smaller batches would let it hear a stop in time; what is done
                until then is in `kept`.
        """
        listener = self._listener
        epoch = self._restore(start) if start else self._begin()
        listener.progress(phase=self.name, **self._best.where())
        self._take_snapshot(epoch)
        while epoch.number <= epochs and not self._is_out_of_patience(epoch.number - 1):
            begin, seen = time.perf_counter(), epoch.images
            self._train_epoch(epoch, epochs)
            speed = (epoch.images - seen) / (time.perf_counter() - begin)
            stopped_within = epoch.images < len(self._train.labels)
            if stopped_within:  # before what a part of an epoch does to the best
                listener.checkpoint(self._take_snapshot(epoch))
            self._finish_epoch(epoch.number, epoch.until_now, speed)
            if listener.wants_changes():
                listener.changes(self.name, epoch.number, self._measure_changes())
            listener.progress(phase=self.name, **self._best.where())
            if stopped_within:
                return
            self.trail.add(values(self.steps.variables))
            # By the number of the last epoch, so that it is over when resumed as well.
            tells = epoch.until_now.accuracy, self._on_val, self._best, listener
            in_vain = self.name == "fine_tune" and _is_in_vain(*tells)
            epoch = _Epoch((epochs if in_vain else epoch.number) + 1)
            if listener.stop_requested():
                break
            if listener.wants_checkpoint():
                listener.checkpoint(self._take_snapshot(epoch))
        listener.checkpoint(self._take_snapshot(epoch))

    def judge_as_it_is(self) -> None:
        """Stands in for `run` where nothing trains in steps: its only epoch."""
        self._finish_epoch(1, self.steps.evaluate(self._train))

    def _begin(self) -> _Epoch:
        """The first epoch; where the phase starts may be better than all of them."""
        reached = self._judge(0)
        # A later phase starts from the best of the one before, but for rounding.
        if not self._best.phase:
            self._keep_if_best(0, reached)
        elif self._best.phase != self.name:
            self._best.bar = self._losses.tolist()
        return _Epoch(1)

    def _restore(self, start: Snapshot) -> _Epoch:
        """Sets everything to the snapshot; the epoch that it is of."""
        best, steps = self._best, self.steps
        best.restore(start)
        self.trail.restore(start)
        # An older version took no note of balanced accuracy.
        if best.phase and best.follows not in start.best_state:
            for variable in steps.variables:
                variable.assign(best.weights[variable.path])
            best.balanced_accuracy = steps.evaluate(self._val).balanced_accuracy
        step = steps.restore(start, len(self._train.labels))
        # An older version counted all right answers alike.
        sums = np.array([*start.sums, start.sums[1]][:4])
        return _Epoch(start.epoch + 1, step, start.images, sums)

    def _take_snapshot(self, epoch: _Epoch) -> Snapshot:
        """The state between two steps, copied; the last one is kept."""
        self.kept = Snapshot(
            phase=self.name,
            epoch=epoch.number - 1,
            step=epoch.steps,
            images=epoch.images,
            sums=tuple(map(float, epoch.sums)),
            **self.steps.state(),
            **self.trail.state(),
            best=dict(self._best.weights),
            best_state=self._best.state(),
        )
        return self.kept

    def _is_out_of_patience(self, epoch: int) -> bool:
        """Whether nothing has got better for as long as the patience lasts."""
        best = self._best
        since_best = epoch - best.epoch if best.phase == self.name else epoch
        return 0 < self.steps.recipe.patience <= since_best

    def _train_epoch(self, epoch: _Epoch, epochs: int) -> None:
        """Trains on what is left of the epoch."""
        # The order depends on the epoch's number only, so that a run which is resumed
        # sees the images in the same order.
        random = np.random.default_rng([self.steps.recipe.seed, epoch.number])
        order = random.permutation(len(self._train.labels))
        rest = order[epoch.images :]
        for done in self.steps.train(self._train, rest, epoch.number):
            _check(done.losses, self.name, epoch.number)
            first, accuracy = epoch.steps + 1, done.right / done.counts
            self._listener.steps(self.name, epoch.number, first, done.losses, accuracy)
            epoch.add(done, len(order))
            self._tell_progress(epoch, epochs)
            if self._listener.stop_requested() or epoch.images == len(order):
                break
            if self.steps.are_too_slow():
                self._take_snapshot(epoch)
                raise StepTooSlow(f"a step took {self.steps.seconds_per_step:.1f} s")
            if self._listener.wants_checkpoint():
                self._listener.checkpoint(self._take_snapshot(epoch))

    def _tell_progress(self, epoch: _Epoch, epochs: int) -> None:
        size, seconds = self.steps.recipe.batch_size, self.steps.seconds_per_step
        steps = -(-len(self._train.labels) // size)
        left = (epochs - epoch.number) * steps + steps - epoch.steps
        self._listener.progress(
            phase=self.name,
            epoch=epoch.number,
            epochs=epochs,
            step=epoch.steps,
            steps=steps,
            images_per_second=size / (seconds or 1),
            seconds_left=left * seconds,
            batch_size=size,
            learning_rate=float(self.steps.optimizer.learning_rate),
        )

    def _finish_epoch(
        self, epoch: int, reached: Reached, images_per_second: float | None = None
    ) -> None:
        """Evaluates an epoch, tells of it, and keeps its weights if it is the best.

        Args:
            epoch: Counted from 1.
            reached: On the training images.
            images_per_second: Speed of the training.

        Raises:
            TrainingError: The epoch has spoilt the weights.
        """
        on_val, has_val = self._judge(epoch), bool(len(self._val.labels))
        values = reached._asdict()
        if self.steps.recipe.class_weights is None:
            del values["balanced_accuracy"]  # only then is it counted in training
        if images_per_second is not None:
            values["learning_rate"] = float(self.steps.optimizer.learning_rate)
            values["images_per_second"] = images_per_second
        if has_val:
            values |= {f"val_{name}": one for name, one in on_val._asdict().items()}
        self._listener.epoch(self.name, epoch, values)
        # The last step's own loss is of before it: it may have spoilt the weights.
        sums = [value(v).sum() for v in self.steps.variables if not has_val]
        _check(np.array([on_val.loss] if has_val else sums), self.name, epoch)
        self._keep_if_best(epoch, on_val)

    def _judge(self, epoch: int) -> Reached:
        """How well it does on val; the listener hears each answer."""
        self._on_val, probabilities = self.steps.answer(self._val)
        self._losses = losses_of(probabilities, self._val.labels)
        if len(self._val.labels):
            self._listener.answers(self.name, epoch, self._val.labels, probabilities)
        return self._on_val

    def _keep_if_best(self, epoch: int, reached: Reached) -> None:
        """Without val every epoch counts as better than the one before."""
        if not len(self._val.labels) or self._best.is_beaten_by(reached, self._losses):
            self._best.keep(values(self.steps.variables), self.name, epoch, reached)


def _is_in_vain(
    in_training: float, on_val: Reached, best: Best, listener: Listener
) -> bool:
    """Whether a fine-tuning has nothing left to learn and val is best with the head.

    On six sets none that was better in the end looked like this before. It is logged.
    """
    on_val_now, then = (getattr(one, best.follows) for one in (on_val, best))
    so = in_training >= _BY_HEART and best.phase == "head" and on_val_now < then
    if so:
        listener.log("Ends: train is known by heart, and the head alone was better.")
    return bool(so)


def _check(losses: NDArray[np.float32], phase: str, epoch: int) -> None:
    """Raises the error of a loss that is no number any more."""
    if np.isfinite(losses).all():
        return
    raise TrainingError(
        f"The loss became {losses[~np.isfinite(losses)][0]} in epoch "
        f"{epoch} of the {PHASES[phase]} phase.",
        "Try a learning rate ten times smaller.",
    )
