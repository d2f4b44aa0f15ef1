"""Training steps and answers on cached features, some steps in each compiled call."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from transfer.classifier.model import Forward
from transfer.evaluation import large, metrics
from transfer.training.best import UNKNOWN, Reached
from transfer.training.examples import Examples
from transfer.training.recipe import Recipe
from transfer.training.snapshot import Snapshot

#: One call of the compiled loop takes about this long, so that a request to stop is
#: seen soon, yet the overhead of a call is spread over many small steps.
_SECONDS_PER_CALL = 0.2
#: A call reads no more features than this, for the next call's are read meanwhile.
_BYTES_PER_CALL = 32 << 20
#: A request to stop is seen between steps, and after 30 s (`stop_grace` in
#: `runs.kinds`) the worker is ended by force: a step may take a third of that.
_SLOWEST_STEP = 10.0

#: Features, labels and weights of some steps, each `(steps, batch_size, ...)`.
Call = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


class Learnt(NamedTuple):
    """What came of the training steps of one call.

    Attributes:
        losses: Mean loss of each step, `(steps,)`.
        right: Number of right answers of each step.
        counts: Number of images of each step.
        balanced: Right answers of each step, each counted for as much as its class.
        images: Number of images read, those included that fill up the last batch.
    """

    losses: NDArray[np.float32]
    right: NDArray[np.float32]
    counts: NDArray[np.float32]
    balanced: NDArray[np.float32]
    images: int


class Steps:
    """What is computed, what of it trains, and how.

    Args:
        forward: From features to logits.
        variables: Those that train; all else stays as it is.
        optimizer: Keras optimizer.
        recipe: How they move.
        random: The random state of what is computed, such as that of dropout.

    Attributes:
        most_per_call: Steps between two looks at whether to stop; `None` for as many
            as take a fifth of a second.
        seconds_per_step: Of the last call; 0 until one was timed.
    """

    def __init__(
        self,
        forward: Forward,
        variables: list[keras.Variable],
        optimizer: keras.optimizers.Optimizer,
        recipe: Recipe,
        random: Sequence[keras.Variable] = (),
    ) -> None:
        self.variables, self.optimizer, self.recipe = variables, optimizer, recipe
        self.most_per_call: int | None = None
        self.seconds_per_step = 0.0
        self._forward = forward
        self._is_traced = False
        self._slow_calls = 0
        # Keras counts random states up over the whole process, so by their order.
        self._state = {v.path: v for v in variables}
        self._state |= {f"random {i}": v for i, v in enumerate(random)}
        # Its variables must be there before the first graph is built.
        optimizer.build(variables)
        self._train = _Compiled(self._train_steps)
        self._test = _Compiled(self._test_steps)

    def train(
        self, examples: Examples, order: NDArray[np.int64], epoch: int
    ) -> Iterator[Learnt]:
        """Trains on the images in this order; tells what came of each call."""
        for call in self._calls(examples, order, epoch):
            seconds, (losses, right, counts, balanced) = self._time_call(call)
            # The first call builds the graph, so it says nothing about speed.
            if self._is_traced:
                self.seconds_per_step = seconds / len(losses)
            self._is_traced = True
            yield Learnt(losses, right, counts, balanced, call[2].size)

    def _time_call(self, call: Call) -> tuple[float, list[NDArray[Any]]]:
        """Seconds of some training steps, and what came of them."""
        start = time.perf_counter()
        results = [np.asarray(one) for one in self._train(*call)]
        return time.perf_counter() - start, results

    def are_too_slow(self) -> bool:
        """Whether two calls in a row had slow steps, and smaller ones can be made.

        A single one may be slow because another length of the loop is compiled.
        """
        slow = self.seconds_per_step > _SLOWEST_STEP
        self._slow_calls = self._slow_calls + 1 if slow else 0
        return self._slow_calls > 1 and self.recipe.batch_size > 1

    def state(self) -> dict[str, Any]:
        """All that the next step depends on, copied; parts of a `Snapshot`."""
        return {
            "batch_size": self.recipe.batch_size,
            "now": {path: value(v) for path, v in self._state.items()},
            "optimizer": tuple(value(v) for v in self.optimizer.variables),
        }

    def restore(self, start: Snapshot, images: int) -> int:
        """Sets all that the next step depends on.

        Args:
            start: Where to go on; its batch size may be another one.
            images: Number of training images.

        Returns:
            Steps of its epoch that are done, in batches of the size that is set now.
        """
        for path, variable in self._state.items():
            variable.assign(start.now[path])
        pairs = zip(self.optimizer.variables, start.optimizer, strict=True)
        for variable, then in pairs:
            variable.assign(then)
        size = self.recipe.batch_size
        step = start.images // size
        if start.batch_size != size:
            # The learning rate follows the share of the epochs that is done.
            done = start.epoch * -(-images // size)
            self.optimizer.iterations.assign(done + step)
        return step

    def evaluate(self, examples: Examples) -> Reached:
        """How well it does on a split; all `nan` for an empty one."""
        return self.answer(examples, classes=0)[0]

    def answer(
        self, examples: Examples, classes: int | None = None
    ) -> tuple[Reached, NDArray[np.float32]]:
        """How well it does; probabilities `(images, classes)`, of all or the first."""
        if not (images := len(labels := examples.labels)):
            return UNKNOWN, np.empty((0, 0), np.float32)
        named, each = [], []

        def answers() -> Iterator[NDArray[np.float32]]:
            for call in self._calls(examples, np.arange(images)):
                losses, right, counts, given = map(np.asarray, self._test(*call))
                each.append([losses @ counts, right.sum(), counts.sum()])
                named.append(given.argmax(-1).ravel())
                yield given.reshape(-1, given.shape[-1])[:, :classes]

        kept = large.fill(images, answers())
        sums = np.array(each, np.float64).sum(0)
        balanced = metrics.balanced_accuracy(np.concatenate(named)[:images], labels)
        return Reached(*map(float, (*sums[:2] / sums[2], balanced))), kept

    def _calls(
        self, examples: Examples, order: NDArray[np.int64], epoch: int = 1
    ) -> Iterator[Call]:
        """What each call computes on.

        The next ones are read while the last are trained on. The last batch is filled
        up with images of weight 0, so that one compiled graph serves all; where there
        are fewer images than a batch has, no batch has more.
        """
        size = min(self.recipe.batch_size, len(examples.labels))
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
        by_time = _SECONDS_PER_CALL / (self.seconds_per_step or _SECONDS_PER_CALL)
        by_size = _BYTES_PER_CALL / batch_bytes
        steps = max(1, int(min(by_time, by_size)))
        return min(steps, self.most_per_call or steps)

    def _train_steps(self, x: Any, y: Any, w: Any) -> Any:
        def step(x: Any, y: Any, w: Any) -> Any:
            values = [v.value for v in self.variables]
            # Watched by hand: else the tape would follow frozen variables too.
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(values)
                logits = self._forward(tf.cast(x, tf.float32), True)
                loss, *others = self._loss(logits, y, w, training=True)
                objective = loss + self._distance()
            gradients = tape.gradient(objective, values)
            self.optimizer.apply(gradients, self.variables)
            return loss, *others

        return _each(step, x, y, w)

    def _test_steps(self, x: Any, y: Any, w: Any) -> Any:
        def step(x: Any, y: Any, w: Any) -> Any:
            logits = self._forward(tf.cast(x, tf.float32), False)
            loss, right, count, _ = self._loss(logits, y, w, training=False)
            return loss, right, count, tf.nn.softmax(logits)

        return _each(step, x, y, w)

    def _distance(self) -> Any:
        """The L2-SP penalty."""
        anchors = self.recipe.anchors
        moved = [tf.reduce_sum(tf.square(v.value - start)) for v, start in anchors]
        return self.recipe.l2_sp / 2 * tf.add_n(moved) if moved else 0.0

    def _loss(self, logits: Any, y: Any, w: Any, training: bool) -> tuple[Any, ...]:
        """Mean loss, number of right answers and number of images of one batch, and
        its right answers each counted for as much as its class.

        Smoothing and class weights shape what is learnt from, never what val says.
        """
        recipe = self.recipe
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
        if training and recipe.label_smoothing:
            spread = tf.reduce_logsumexp(logits, -1) - tf.reduce_mean(logits, -1)
            losses += recipe.label_smoothing * (spread - losses)
        right = tf.cast(tf.argmax(logits, -1, tf.int32) == y, tf.float32)
        count = tf.reduce_sum(w)
        counted = w
        if training and recipe.class_weights is not None:
            counted = w * tf.gather(recipe.class_weights, y)
        # Over the number of images, not the sum of weights: a batch of light classes
        # is to move less.
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


def _read(examples: Examples, chosen: NDArray[np.int64], size: int, epoch: int) -> Call:
    """See `Steps._calls`; `size` images a batch."""
    steps = -(-len(chosen) // size)
    filled = np.resize(chosen, steps * size)
    weights = (np.arange(len(filled)) < len(chosen)).astype(np.float32)
    rows = examples.features.rows(filled, epoch)
    parts = (rows, examples.labels[filled], weights)
    x, y, w = (one.reshape(steps, size, *one.shape[1:]) for one in parts)
    return x, y, w


def value(variable: keras.Variable) -> NDArray[Any]:
    """A variable's value, copied: the next step may write into its memory."""
    return np.array(keras.ops.convert_to_numpy(variable))


def values(variables: Iterable[keras.Variable]) -> dict[str, NDArray[Any]]:
    """The variables' values, copied, by path."""
    return {v.path: value(v) for v in variables}


def _each(step: Callable[..., Any], x: Any, y: Any, w: Any) -> Any:
    """The four results of `step` for each batch, in one compiled loop, in order."""
    return tf.map_fn(
        lambda batch: step(*batch),
        (x, y, w),
        fn_output_signature=(tf.float32,) * 4,
        # Steps depend on each other by the variables, which the loop does not see.
        parallel_iterations=1,
    )
