"""One phase of a training: the loop over epochs and steps, on cached features."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from transfer.callbacks import Listener
from transfer.classifier import Forward
from transfer.errors import TrainingError
from transfer.features.extract import Features

#: One call of the compiled loop takes about this long, so that a request to stop is
#: seen soon, yet the overhead of a call is spread over many small steps.
_SECONDS_PER_CALL = 0.2
_BYTES_PER_CALL = 32 << 20


class Examples(NamedTuple):
    """Features and labels of one split.

    Attributes:
        features: The features of its images.
        labels: Their label indices, int32 `(images,)`.
    """

    features: Features
    labels: NDArray[np.int32]


@dataclass(kw_only=True)
class Best:
    """The best epoch so far, by val accuracy, then by val loss."""

    weights: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    phase: str = ""
    epoch: int = 0
    accuracy: float = -1.0
    loss: float = float("inf")

    def is_beaten_by(self, accuracy: float, loss: float) -> bool:
        """Whether another epoch is better."""
        return (accuracy, -loss) > (self.accuracy, -self.loss)


class Phase:
    """One phase of a training: what is computed, what of it trains, and how.

    Args:
        name: `head` or `fine_tune`.
        forward: From features to logits.
        variables: Those that train; all else stays as it is.
        optimizer: Keras optimizer.
        batch_size: Images per step.
        seed: Seed of the order of images.
    """

    def __init__(
        self,
        name: str,
        forward: Forward,
        variables: list[keras.Variable],
        optimizer: keras.optimizers.Optimizer,
        batch_size: int,
        seed: int,
    ) -> None:
        self.name = name
        self.variables = variables
        self._forward = forward
        self._optimizer = optimizer
        self._batch_size = batch_size
        self._seed = seed
        self._seconds_per_step = 0.0
        optimizer.build(variables)
        self._train = tf.function(self._train_steps, reduce_retracing=True)
        self._test = tf.function(self._test_steps, reduce_retracing=True)

    def run(
        self,
        epochs: int,
        train: Examples,
        val: Examples,
        best: Best,
        listener: Listener,
    ) -> None:
        """Trains for `epochs` epochs or until a stop is requested.

        Args:
            epochs: Passes over the training images.
            train: What is learnt from.
            val: What the best epoch is chosen by; may be empty, then the last epoch
                counts as the best.
            best: Updated with every epoch that beats it.
            listener: Hears of every step and epoch.

        Raises:
            TrainingError: The loss became infinite or not a number.
        """
        start = time.perf_counter()
        for epoch in range(1, epochs + 1):
            loss, accuracy = self._train_epoch(epoch, epochs, train, listener)
            images_per_second = len(train.labels) / (time.perf_counter() - start)
            val_loss, val_accuracy = self.evaluate(val)
            values = {
                "loss": loss,
                "accuracy": accuracy,
                "learning_rate": float(self._optimizer.learning_rate),
                "images_per_second": images_per_second,
            }
            if len(val.labels):
                values |= {"val_loss": val_loss, "val_accuracy": val_accuracy}
            listener.epoch(self.name, epoch, values)
            self._keep(best, epoch, val_loss, val_accuracy, len(val.labels) == 0)
            listener.checkpoint(
                best.weights,
                {"phase": self.name, "epoch": epoch, "best_epoch": best.epoch},
            )
            if listener.stop_requested():
                return
            start = time.perf_counter()

    def _keep(
        self, best: Best, epoch: int, loss: float, accuracy: float, always: bool
    ) -> None:
        if always or best.is_beaten_by(accuracy, loss):
            best.weights |= {
                v.path: keras.ops.convert_to_numpy(v).copy() for v in self.variables
            }
            best.phase, best.epoch = self.name, epoch
            best.loss, best.accuracy = loss, accuracy

    def _train_epoch(
        self, epoch: int, epochs: int, train: Examples, listener: Listener
    ) -> tuple[float, float]:
        """Mean loss and accuracy over the images of one epoch."""
        order = np.random.default_rng([self._seed, epoch]).permutation(
            len(train.labels)
        )
        steps = -(-len(order) // self._batch_size)
        done, sums = 0, np.zeros(3)
        for call in self._calls(train, order):
            start = time.perf_counter()
            losses, right, counts = (np.asarray(one) for one in self._train(*call))
            # The first call builds the graph, so it says nothing about speed.
            if done or epoch > 1:
                self._seconds_per_step = (time.perf_counter() - start) / len(losses)
            if not np.isfinite(losses).all():
                raise TrainingError(
                    f"The loss became {losses[~np.isfinite(losses)][0]} in epoch "
                    f"{epoch} of the {self.name} phase.",
                    "Try a learning rate ten times smaller.",
                )
            listener.steps(self.name, epoch, done + 1, losses, right / counts)
            done += len(losses)
            sums += [losses @ counts, right.sum(), counts.sum()]
            left = (epochs - epoch) * steps + steps - done
            listener.progress(
                phase=self.name,
                epoch=epoch,
                epochs=epochs,
                step=done,
                steps=steps,
                images_per_second=self._batch_size / (self._seconds_per_step or 1),
                seconds_left=left * self._seconds_per_step,
            )
            if listener.stop_requested():
                break
        return float(sums[0] / sums[2]), float(sums[1] / sums[2])

    def evaluate(self, examples: Examples) -> tuple[float, float]:
        """Mean loss and accuracy on a split; `(nan, nan)` for an empty one."""
        if not len(examples.labels):
            return float("nan"), float("nan")
        sums = np.zeros(3)
        for call in self._calls(examples, np.arange(len(examples.labels))):
            losses, right, counts = (np.asarray(one) for one in self._test(*call))
            sums += [losses @ counts, right.sum(), counts.sum()]
        return float(sums[0] / sums[2]), float(sums[1] / sums[2])

    def _calls(
        self, examples: Examples, order: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
        """Features, labels and weights of some steps, `(steps, batch_size, ...)`.

        The next ones are read while the last are trained on. The last batch is filled
        up with images of weight 0, so that one compiled graph serves all.
        """
        size = self._batch_size
        with ThreadPoolExecutor(1) as reader:
            waiting, start = None, 0
            while start < len(order) or waiting:
                following = None
                if start < len(order):
                    steps = self._steps_per_call(examples.features)
                    chosen = order[start : start + steps * size]
                    following = reader.submit(self._read, examples, chosen)
                    start += len(chosen)
                if waiting:
                    yield waiting.result()
                waiting = following

    def _steps_per_call(self, features: Features) -> int:
        by_time = _SECONDS_PER_CALL / (self._seconds_per_step or 0.05)
        by_size = _BYTES_PER_CALL / (features.row_bytes * self._batch_size)
        return max(1, int(min(by_time, by_size)))

    def _read(
        self, examples: Examples, chosen: NDArray[np.int64]
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        filled = np.resize(
            chosen, -(-len(chosen) // self._batch_size) * self._batch_size
        )
        weights = (np.arange(len(filled)) < len(chosen)).astype(np.float32)
        parts = (examples.features.rows(filled), examples.labels[filled], weights)
        steps = len(filled) // self._batch_size
        x, y, w = (p.reshape(steps, self._batch_size, *p.shape[1:]) for p in parts)
        return x, y, w

    def _train_steps(self, x: Any, y: Any, w: Any) -> Any:
        def step(x: Any, y: Any, w: Any) -> Any:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([v.value for v in self.variables])
                loss, right, count = self._loss(x, y, w, training=True)
            gradients = tape.gradient(loss, [v.value for v in self.variables])
            self._optimizer.apply(gradients, self.variables)
            return loss, right, count

        return _each(step, x, y, w)

    def _test_steps(self, x: Any, y: Any, w: Any) -> Any:
        def step(x: Any, y: Any, w: Any) -> Any:
            return self._loss(x, y, w, training=False)

        return _each(step, x, y, w)

    def _loss(self, x: Any, y: Any, w: Any, training: bool) -> tuple[Any, Any, Any]:
        """Mean loss, number of right answers and number of images of one batch."""
        logits = self._forward(tf.cast(x, tf.float32), training)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
        right = tf.cast(tf.argmax(logits, -1, tf.int32) == y, tf.float32)
        count = tf.reduce_sum(w)
        return tf.reduce_sum(losses * w) / count, tf.reduce_sum(right * w), count


def _each(step: Callable[..., Any], x: Any, y: Any, w: Any) -> Any:
    """The results of `step` for each batch, in one compiled loop, in order."""
    return tf.map_fn(
        lambda batch: step(*batch),
        (x, y, w),
        fn_output_signature=(tf.float32, tf.float32, tf.float32),
        parallel_iterations=1,
    )
