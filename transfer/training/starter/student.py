"""The starter as it learns: its network, its loss, its steps."""

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from transfer.backbones.starter import network
from transfer.training.starter.pictures import Labels, Pixels, crop

#: Epochs over which the learning rate rises.
_WARM_UP = 2


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the starter is pretrained.

    Attributes:
        sizes: Height and width in pixels of the crops, one entry per epoch.
        batch_size: Crops per step.
        learning_rate: Its highest value, of SGD with Nesterov momentum 0.9.
        weight_decay: Factor on the weights that each step takes off, times the
            learning rate; norms and biases are left alone.
        label_smoothing: Share of the target that is spread over all classes.
        smallest_crop: Smallest share of a picture's area that a crop shows.
        teacher: Backbone whose pooled features are learnt too; empty for none.
        teacher_weight: Factor on that part of the loss.
        teacher_views: Crops of each picture that the teacher looks at; epochs take
            them in turn.
        seed: Seed of everything random.
    """

    sizes: tuple[int, ...]
    batch_size: int = 256
    learning_rate: float = 0.4
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    smallest_crop: float = 0.4
    teacher: str = ""
    teacher_weight: float = 1.0
    teacher_views: int = 6
    seed: int = 0


class Student:
    """The network with what it learns by, and its optimizer.

    Args:
        recipe: How it learns.
        classes: Number of classes.
        channels: Number of the teacher's features; 0 without a teacher.
        steps: Steps in an epoch.
    """

    def __init__(self, recipe: Recipe, classes: int, channels: int, steps: int) -> None:
        keras.utils.set_random_seed(recipe.seed)
        self._recipe = recipe
        self._classes = classes
        self._build(channels)
        self.optimizer = self._optimizer(steps)
        self.step = tf.function(self._step)
        self._answers = tf.function(self._answer)

    def _build(self, channels: int) -> None:
        pixels = keras.Input((None, None, 3), name="pixels")
        scaled = keras.layers.Rescaling(1 / 127.5, -1.0, name="scaling")(pixels)
        self.backbone = network.Starter(input_tensor=scaled)
        features = keras.layers.GlobalAveragePooling2D()(self.backbone.output)
        outputs = [keras.layers.Dense(self._classes, dtype="float32")(features)]
        if channels:
            outputs.append(keras.layers.Dense(channels, dtype="float32")(features))
        self.model = keras.Model(pixels, outputs)

    def _optimizer(self, steps: int) -> keras.optimizers.Optimizer:
        epochs, top = len(self._recipe.sizes), self._recipe.learning_rate
        warm_up = min(_WARM_UP, epochs / 2) * steps
        optimizer = keras.optimizers.SGD(
            _Triangle(top, warm_up, epochs * steps),
            momentum=0.9,
            nesterov=True,
            weight_decay=self._recipe.weight_decay,
        )
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        optimizer.build(self.model.trainable_variables)
        return optimizer

    @property
    def variables(self) -> list[keras.Variable]:
        """Everything that a checkpoint keeps."""
        return [*self.model.variables, *self.optimizer.variables]

    def _step(
        self, images: Any, crops: Any, labels: Any, target: Any, size: int
    ) -> tuple[Any, Any, Any]:
        """One step; its cross-entropy, distance to the teacher, and accuracy."""
        pixels = _change_at_random(crop(images, crops, size))
        with tf.GradientTape() as tape:
            logits, *told = tf.nest.flatten(self.model(pixels, training=True))
            smooth = self._recipe.label_smoothing
            wanted = tf.one_hot(labels, self._classes) * (1 - smooth)
            wanted += smooth / self._classes
            entropy = tf.reduce_mean(
                tf.nn.softmax_cross_entropy_with_logits(wanted, logits)
            )
            distance = tf.constant(0.0)
            if told:
                target = tf.cast(target, tf.float32)
                distance = tf.reduce_mean(tf.square(told[0] - target))
            loss = entropy + self._recipe.teacher_weight * distance
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        right = tf.argmax(logits, 1, tf.int32) == labels
        return entropy, distance, tf.reduce_mean(tf.cast(right, tf.float32))

    def _answer(self, images: Any, size: int) -> Any:
        pixels = tf.image.resize(tf.cast(images, tf.float32), (size, size))
        logits = tf.nest.flatten(self.model(pixels, training=False))[0]
        return tf.argmax(logits, 1, tf.int32)

    def accuracy(self, images: Pixels, labels: Labels, size: int) -> float:
        """Share of the pictures, resized to `size`, that are named right."""
        right = 0
        for start in range(0, len(images), 250):
            rows = slice(start, start + 250)
            answers = self._answers(tf.constant(images[rows]), size).numpy()
            right += int((answers == labels[rows]).sum())
        return right / len(images)


class _Triangle(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Up to the highest learning rate, then straight down to 0."""

    def __init__(self, top: float, warm_up: float, steps: int) -> None:
        self._top, self._warm_up, self._steps = top, warm_up, steps

    def __call__(self, step: Any) -> Any:
        """The learning rate of one step."""
        done = keras.ops.cast(step, "float32")
        left = (self._steps - done) / (self._steps - self._warm_up)
        return self._top * keras.ops.minimum((done + 1) / self._warm_up, left)


def _change_at_random(pixels: Any) -> Any:
    """Half of the pictures flipped; brightness and colours changed by up to 20 %."""
    count = tf.shape(pixels)[0]
    flip = tf.random.uniform((count, 1, 1, 1)) < 0.5
    pixels = tf.where(flip, tf.reverse(pixels, [2]), pixels)
    light = tf.random.uniform((count, 1, 1, 1), 0.8, 1.2)
    colour = tf.random.uniform((count, 1, 1, 3), 0.9, 1.1)
    return tf.clip_by_value(pixels * light * colour, 0, 255)
