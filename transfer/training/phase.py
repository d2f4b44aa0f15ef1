"""One phase of a training: the loop over epochs and steps, on cached features."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from transfer.classifier.model import Forward
from transfer.errors import TrainingError
from transfer.evaluation import metrics
from transfer.features.extract import Features
from transfer.store.outcome import PHASES
from transfer.training.listener import Listener
from transfer.training.snapshot import Snapshot

#: One call of the compiled loop takes about this long, so that a request to stop is
#: seen soon, yet the overhead of a call is spread over many small steps.
_SECONDS_PER_CALL = 0.2
_BYTES_PER_CALL = 32 << 20
#: A request to stop is seen between steps, and after 30 s (`runs.queue.STOP_GRACE`) the
#: worker is ended by force: a step may take a third of that.
_SLOWEST_STEP = 10.0


class StepTooSlow(Exception):
    """Raised out of a phase whose steps are so long that it cannot be asked to stop."""


class Examples(NamedTuple):
    """Features and labels of one split.

    Attributes:
        features: The features of its images.
        labels: Their label indices, int32 `(images,)`.
    """

    features: Features
    labels: NDArray[np.int32]


class Reached(NamedTuple):
    """How well a model does on some images.

    Attributes:
        loss: Mean loss.
        accuracy: Share of right answers.
        balanced_accuracy: Mean of the shares of right answers of the classes.
    """

    loss: float
    accuracy: float
    balanced_accuracy: float


#: On val images of which there are none.
_UNKNOWN = Reached(float("nan"), float("nan"), float("nan"))


@dataclass(kw_only=True)
class Best:
    """The best epoch so far on val, by the measure that it follows, then by the loss.

    Epoch 0 of a phase is where it started.

    Attributes:
        follows: Where classes are weighted in the loss, what is kept follows the same
            weights: else always naming the largest class may well look best.
    """

    weights: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    phase: str = ""
    epoch: int = 0
    loss: float = float("inf")
    accuracy: float = -1.0
    balanced_accuracy: float = -1.0
    follows: Literal["accuracy", "balanced_accuracy"] = "accuracy"

    def is_beaten_by(self, reached: Reached) -> bool:
        """Whether another epoch is better; one without a finite loss never is."""
        now, then = getattr(self, self.follows), getattr(reached, self.follows)
        better = (then, -reached.loss) > (now, -self.loss)
        return better and bool(np.isfinite(reached.loss))

    def state(self) -> dict[str, Any]:
        """All but the weights."""
        names = ("phase", "epoch", *Reached._fields)
        return {name: getattr(self, name) for name in names}

    def restore(self, snapshot: Snapshot) -> None:
        """Becomes what it was when the snapshot was taken."""
        self.weights = dict(snapshot.best)
        for name, value in snapshot.best_state.items():
            setattr(self, name, value)


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
    def reached(self) -> Reached:
        """Until now; classes are balanced if they are weighted in the loss."""
        loss, right, images, balanced = map(float, self.sums)
        return Reached(loss / images, right / images, balanced / images)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the trained parameters move.

    Attributes:
        batch_size: Images per step.
        seed: Seed of the order of images.
        label_smoothing: Share of the target that is spread over all classes, 0 to 1.
        class_weights: What an image of each class counts for, float32
            `(num_classes,)`, mean 1 over the training images; `None`: all alike.
        patience: Epochs without a better one after which the phase ends; 0 for never.
        l2_sp: Weight of half the squared distance of `anchored` variables from where
            they are at the start (Li et al. 2018, https://arxiv.org/abs/1802.01483).
        anchored: Those variables.
        anchors: Where they are held; by default where they are when the phase is made.
    """

    batch_size: int
    seed: int
    label_smoothing: float = 0.0
    class_weights: NDArray[np.float32] | None = None
    patience: int = 0
    l2_sp: float = 0.0
    anchored: Sequence[keras.Variable] = ()
    anchors: Sequence[Any] = ()


class Phase:
    """One phase of a training: what is computed, what of it trains, and how.

    Args:
        name: `head` or `fine_tune`.
        forward: From features to logits.
        variables: Those that train; all else stays as it is.
        optimizer: Keras optimizer.
        recipe: How they move.
        random: The random state of what it computes, such as that of dropout.

    Attributes:
        kept: The last snapshot; `None` before `run`.
        changes: Tells how far each block is from its start; told after an epoch.
        most_steps: Between two looks at whether to stop.
    """

    def __init__(
        self,
        name: str,
        forward: Forward,
        variables: list[keras.Variable],
        optimizer: keras.optimizers.Optimizer,
        recipe: Recipe,
        random: Sequence[keras.Variable] = (),
    ) -> None:
        self.name = name
        self.variables = variables
        self.kept: Snapshot | None = None
        self.changes: Callable[[], dict[str, float]] | None = None
        self.most_steps: int | None = None
        # Keras counts random states up over the whole process, so by their order.
        self._state = {v.path: v for v in variables}
        self._state |= {f"random {i}": v for i, v in enumerate(random)}
        self._forward = forward
        self._optimizer = optimizer
        self._recipe = recipe
        self._batch_size = recipe.batch_size
        self._seconds_per_step = 0.0
        self._is_traced = False
        self._slow_calls = 0
        self._anchors = recipe.anchors or [
            tf.identity(v.value) for v in recipe.anchored
        ]
        optimizer.build(variables)
        self._train = _Compiled(self._train_steps)
        self._test = _Compiled(self._test_steps)

    def run(
        self,
        epochs: int,
        train: Examples,
        val: Examples,
        best: Best,
        listener: Listener,
        start: Snapshot | None = None,
    ) -> None:
        """Trains for `epochs` epochs or until a stop is requested.

        Args:
            epochs: Passes over the training images.
            train: What is learnt from.
            val: What the best epoch is chosen by; may be empty, then the last epoch
                counts as the best.
            best: Updated with every epoch that beats it.
            listener: Hears of every step and epoch.
            start: Goes on from here, to the same end as without the pause.

        Raises:
            TrainingError: The loss became infinite or not a number.
            StepTooSlow: Smaller batches would let it hear a stop in time; what is done
                until then is in `kept`.
        """
        epoch = _Epoch(1)
        if start:
            epoch = self._restored(start, best, len(train.labels), val)
        else:
            reached = self._judged(0, val, listener)
            # Where it starts may be better than all that follows; a later phase starts
            # from the best of the one before, and differs from it by rounding alone.
            if not best.phase:
                self._keep(best, 0, reached, always=not len(val.labels))
        self._tell(best, listener)
        self._snapshot(epoch, best)
        while epoch.number <= epochs and not self._waited(epoch.number - 1, best):
            begin, seen = time.perf_counter(), epoch.images
            self._train_epoch(epoch, epochs, train, best, listener)
            speed = (epoch.images - seen) / (time.perf_counter() - begin)
            stopped_within = epoch.images < len(train.labels)
            if stopped_within:  # before what a part of an epoch does to the best
                listener.checkpoint(self._snapshot(epoch, best))
            self.finish_epoch(epoch.number, epoch.reached, val, best, listener, speed)
            self._tell(best, listener)
            if stopped_within:
                return
            epoch = _Epoch(epoch.number + 1)
            if listener.stop_requested():
                break
            if listener.wants_checkpoint():
                listener.checkpoint(self._snapshot(epoch, best))
        listener.checkpoint(self._snapshot(epoch, best))

    def _waited(self, epoch: int, best: Best) -> bool:
        """Whether nothing has got better for as long as the patience lasts."""
        since_best = epoch - best.epoch if best.phase == self.name else epoch
        return 0 < self._recipe.patience <= since_best

    def _tell(self, best: Best, listener: Listener) -> None:
        listener.progress(phase=self.name, best_phase=best.phase, best_epoch=best.epoch)

    def _snapshot(self, epoch: _Epoch, best: Best) -> Snapshot:
        """The state between two steps, copied; the last one is kept."""
        self.kept = Snapshot(
            phase=self.name,
            epoch=epoch.number - 1,
            step=epoch.steps,
            images=epoch.images,
            sums=tuple(map(float, epoch.sums)),
            batch_size=self._batch_size,
            now={path: _value(v) for path, v in self._state.items()},
            optimizer=tuple(_value(v) for v in self._optimizer.variables),
            best=dict(best.weights),
            best_state=best.state(),
        )
        return self.kept

    def _restored(
        self, start: Snapshot, best: Best, images: int, val: Examples
    ) -> _Epoch:
        """Sets everything to the snapshot; the epoch, of `images`, that it is of."""
        best.restore(start)
        # An older version took no note of balanced accuracy.
        if best.phase and best.follows not in start.best_state:
            for variable in self.variables:
                variable.assign(best.weights[variable.path])
            best.balanced_accuracy = self.evaluate(val).balanced_accuracy
        for path, variable in self._state.items():
            variable.assign(start.now[path])
        variables = self._optimizer.variables
        for variable, value in zip(variables, start.optimizer, strict=True):
            variable.assign(value)
        if start.batch_size != self._batch_size:
            # The learning rate follows the share of the epochs that is done.
            done = start.epoch * -(-images // self._batch_size)
            self._optimizer.iterations.assign(done + start.images // self._batch_size)
        step = start.images // self._batch_size
        # An older version counted all right answers alike.
        sums = np.array([*start.sums, start.sums[1]][:4])
        return _Epoch(start.epoch + 1, step, start.images, sums)

    def finish_epoch(
        self,
        epoch: int,
        reached: Reached,
        val: Examples,
        best: Best,
        listener: Listener,
        images_per_second: float | None = None,
    ) -> None:
        """Evaluates an epoch, tells of it, and keeps its weights if it is the best.

        Args:
            epoch: Counted from 1.
            reached: On the training images.
            val: As in `run`.
            best: As in `run`.
            listener: Hears of it.
            images_per_second: Speed of the training.

        Raises:
            TrainingError: The epoch has spoilt the weights.
        """
        on_val = self._judged(epoch, val, listener)
        values = reached._asdict()
        if self._recipe.class_weights is None:
            del values["balanced_accuracy"]  # only then is it counted in training
        if images_per_second is not None:
            values["learning_rate"] = float(self._optimizer.learning_rate)
            values["images_per_second"] = images_per_second
        if len(val.labels):
            values |= {f"val_{name}": one for name, one in on_val._asdict().items()}
        listener.epoch(self.name, epoch, values)
        self._check_end(on_val if len(val.labels) else None, epoch)
        if self.changes and listener.wants_changes():
            listener.changes(self.name, epoch, self.changes())
        self._keep(best, epoch, on_val, always=not len(val.labels))

    def _keep(
        self, best: Best, epoch: int, reached: Reached, always: bool = False
    ) -> None:
        if always or best.is_beaten_by(reached):
            best.weights |= {v.path: _value(v) for v in self.variables}
            best.phase, best.epoch = self.name, epoch
            best.loss, best.accuracy, best.balanced_accuracy = reached

    def _train_epoch(
        self,
        epoch: _Epoch,
        epochs: int,
        train: Examples,
        best: Best,
        listener: Listener,
    ) -> None:
        """Trains on what is left of the epoch; the order depends on its number only."""
        random = np.random.default_rng([self._recipe.seed, epoch.number])
        order = random.permutation(len(train.labels))
        steps = -(-len(order) // self._batch_size)
        for call in self._calls(train, order[epoch.images :], epoch.number):
            seconds, (losses, right, counts, balanced) = self._timed(call)
            # The first call builds the graph, so it says nothing about speed.
            if self._is_traced:
                self._seconds_per_step = seconds / len(losses)
            self._is_traced = True
            self._check(losses, epoch.number)
            listener.steps(
                self.name, epoch.number, epoch.steps + 1, losses, right / counts
            )
            epoch.steps += len(losses)
            epoch.images = min(epoch.images + call[2].size, len(order))
            epoch.sums += [losses @ counts, right.sum(), counts.sum(), balanced.sum()]
            left = (epochs - epoch.number) * steps + steps - epoch.steps
            listener.progress(
                phase=self.name,
                epoch=epoch.number,
                epochs=epochs,
                step=epoch.steps,
                steps=steps,
                images_per_second=self._batch_size / (self._seconds_per_step or 1),
                seconds_left=left * self._seconds_per_step,
                batch_size=self._batch_size,
                learning_rate=float(self._optimizer.learning_rate),
            )
            if listener.stop_requested():
                break
            if epoch.images == len(order):
                break
            if self._is_too_slow():
                self._snapshot(epoch, best)
                raise StepTooSlow(f"a step took {self._seconds_per_step:.1f} s")
            if listener.wants_checkpoint():
                listener.checkpoint(self._snapshot(epoch, best))

    def _is_too_slow(self) -> bool:
        """Whether two calls in a row had slow steps, and smaller ones can be made.

        A single one may be slow because another length of the loop is compiled.
        """
        slow = self._seconds_per_step > _SLOWEST_STEP
        self._slow_calls = self._slow_calls + 1 if slow else 0
        return self._slow_calls > 1 and self._batch_size > 1

    def _timed(self, call: Sequence[NDArray[Any]]) -> tuple[float, list[NDArray[Any]]]:
        """Seconds of some training steps, and what came of them."""
        start = time.perf_counter()
        results = [np.asarray(one) for one in self._train(*call)]
        return time.perf_counter() - start, results

    def _check(self, losses: NDArray[np.float32], epoch: int) -> None:
        if np.isfinite(losses).all():
            return
        raise TrainingError(
            f"The loss became {losses[~np.isfinite(losses)][0]} in epoch "
            f"{epoch} of the {PHASES[self.name]} phase.",
            "Try a learning rate ten times smaller.",
        )

    def _check_end(self, on_val: Reached | None, epoch: int) -> None:
        """The last step's own loss is of before it: it may have spoilt the weights."""
        if on_val:
            self._check(np.array([on_val.loss]), epoch)
        else:
            self._check(np.array([_value(v).sum() for v in self.variables]), epoch)

    def evaluate(self, examples: Examples) -> Reached:
        """How well it does on a split; all `nan` for an empty one."""
        return self._tested(examples)[0]

    def _judged(self, epoch: int, val: Examples, listener: Listener) -> Reached:
        """How well it does on val; the listener hears each answer."""
        reached, probabilities = self._tested(val)
        if len(val.labels):
            listener.answers(self.name, epoch, val.labels, probabilities)
        return reached

    def _tested(self, examples: Examples) -> tuple[Reached, NDArray[np.float32]]:
        """How well it does, and the probabilities `(images, num_classes)`."""
        if not len(examples.labels):
            return _UNKNOWN, np.empty((0, 0), np.float32)
        sums, answers = np.zeros(3), []
        for call in self._calls(examples, np.arange(len(examples.labels))):
            losses, right, counts, found = (np.asarray(o) for o in self._test(*call))
            sums += [losses @ counts, right.sum(), counts.sum()]
            answers.append(found.reshape(-1, found.shape[-1]))
        probabilities = np.concatenate(answers)[: len(examples.labels)]
        balanced = metrics.balanced_accuracy(probabilities, examples.labels)
        reached = Reached(sums[0] / sums[2], sums[1] / sums[2], balanced)
        return Reached(*map(float, reached)), probabilities

    def _calls(
        self, examples: Examples, order: NDArray[np.int64], epoch: int = 1
    ) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
        """Features, labels and weights of some steps, `(steps, batch_size, ...)`.

        The next ones are read while the last are trained on. The last batch is filled
        up with images of weight 0, so that one compiled graph serves all; where there
        are fewer images than a batch has, no batch has more.
        """
        size = min(self._batch_size, len(examples.labels))
        with ThreadPoolExecutor(1) as reader:
            waiting, start = None, 0
            while start < len(order) or waiting:
                following = None
                if start < len(order):
                    steps = self._steps_per_call(size * examples.features.row_bytes)
                    chosen = order[start : start + steps * size]
                    following = reader.submit(_read, examples, chosen, size, epoch)
                    start += len(chosen)
                if waiting:
                    yield waiting.result()
                waiting = following

    def _steps_per_call(self, batch_bytes: int) -> int:
        # Until a step was timed, one at a time: it may be a slow one.
        by_time = _SECONDS_PER_CALL / (self._seconds_per_step or _SECONDS_PER_CALL)
        by_size = _BYTES_PER_CALL / batch_bytes
        steps = max(1, int(min(by_time, by_size)))
        return min(steps, self.most_steps or steps)

    def _train_steps(self, x: Any, y: Any, w: Any) -> Any:
        def step(x: Any, y: Any, w: Any) -> Any:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([v.value for v in self.variables])
                loss, *others = self._loss(x, y, w, training=True)
                objective = loss + self._distance()
            gradients = tape.gradient(objective, [v.value for v in self.variables])
            self._optimizer.apply(gradients, self.variables)
            return loss, *others

        return _each(step, x, y, w)

    def _test_steps(self, x: Any, y: Any, w: Any) -> Any:
        def step(x: Any, y: Any, w: Any) -> Any:
            logits = self._forward(tf.cast(x, tf.float32), False)
            loss, right, count, _ = self._loss_of(logits, y, w, training=False)
            return loss, right, count, tf.nn.softmax(logits)

        return _each(step, x, y, w)

    def _distance(self) -> Any:
        """The L2-SP penalty."""
        pairs = zip(self._recipe.anchored, self._anchors, strict=True)
        moved = [tf.reduce_sum(tf.square(v.value - start)) for v, start in pairs]
        return self._recipe.l2_sp / 2 * tf.add_n(moved) if moved else 0.0

    def _loss(self, x: Any, y: Any, w: Any, training: bool) -> tuple[Any, ...]:
        """Mean loss, number of right answers and number of images of one batch, and
        its right answers each counted for as much as its class.
        """
        logits = self._forward(tf.cast(x, tf.float32), training)
        return self._loss_of(logits, y, w, training)

    def _loss_of(self, logits: Any, y: Any, w: Any, training: bool) -> tuple[Any, ...]:
        """See `_loss`.

        Smoothing and class weights shape what is learnt from, never what val says.
        """
        recipe = self._recipe
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
        if training and recipe.label_smoothing:
            spread = tf.reduce_logsumexp(logits, -1) - tf.reduce_mean(logits, -1)
            losses += recipe.label_smoothing * (spread - losses)
        right = tf.cast(tf.argmax(logits, -1, tf.int32) == y, tf.float32)
        count = tf.reduce_sum(w)
        counted = w
        if training and recipe.class_weights is not None:
            counted = w * tf.gather(recipe.class_weights, y)
        loss = tf.reduce_sum(losses * counted) / count
        sums = [tf.reduce_sum(right * one) for one in (w, counted)]
        return loss, sums[0], count, sums[1]


class _Compiled:
    """A function of some steps as one graph, built once for any number of steps, and
    for each size of a batch.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._graphs: dict[Any, Any] = {}

    def __call__(self, *arrays: NDArray[Any]) -> Any:
        specs = (*(tf.TensorSpec([None, *a.shape[1:]], a.dtype) for a in arrays),)
        if specs not in self._graphs:
            self._graphs[specs] = tf.function(
                self._function, input_signature=specs, autograph=False
            )
        return self._graphs[specs](*arrays)


def _read(
    examples: Examples, chosen: NDArray[np.int64], size: int, epoch: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """See `Phase._calls`; `size` images a batch."""
    steps = -(-len(chosen) // size)
    filled = np.resize(chosen, steps * size)
    weights = (np.arange(len(filled)) < len(chosen)).astype(np.float32)
    rows = examples.features.rows(filled, epoch)
    parts = (rows, examples.labels[filled], weights)
    x, y, w = (one.reshape(steps, size, *one.shape[1:]) for one in parts)
    return x, y, w


def _value(variable: keras.Variable) -> NDArray[Any]:
    return np.array(keras.ops.convert_to_numpy(variable))


def _each(step: Callable[..., Any], x: Any, y: Any, w: Any) -> Any:
    """The four results of `step` for each batch, in one compiled loop, in order."""
    return tf.map_fn(
        lambda batch: step(*batch),
        (x, y, w),
        fn_output_signature=(tf.float32,) * 4,
        parallel_iterations=1,
    )
