"""Makes the starter's weights: `python -m transfer.backbones.starter.pretrain`.

The network learns the classes of Tiny ImageNet and, beside them, to predict what the
ImageNet MobileNetV2 makes of the same crops (Romero et al. 2015,
https://arxiv.org/abs/1412.6550: a student that learns features, not only answers).
Crops grow from epoch to epoch, as in Tan and Le 2021, https://arxiv.org/abs/2104.00298,
section 4.2.
"""

import argparse
import contextlib
import io
import json
import os
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from transfer import workspace
from transfer.backbones import graph
from transfer.backbones.starter import network
from transfer.classifier.model import add_pooling
from transfer.features import engines

#: Height and width of Tiny ImageNet's pictures, in pixels.
TILE = 64

#: Epochs over which the learning rate rises.
_WARM_UP = 2

#: Sizes in pixels at which the val pictures are judged.
_VAL_SIZES = (64, 80, 96, 112)

_TEACHER_SIZE = 160

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int32]


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


def read(path: Path, split: str, limit: int = 0) -> tuple[Pixels, Labels]:
    """Pictures `(images, 64, 64, 3)` and labels of one split, class after class.

    Args:
        path: Zip with an AVIF sheet of tiles for each class, in a folder per split.
        split: `train` or `val`.
        limit: Pictures of each class that are taken; 0 takes all.
    """
    with zipfile.ZipFile(path) as archive:
        names = sorted(n for n in archive.namelist() if f"/{split}/" in n and "." in n)
        classes = [_tiles(archive.read(name))[: limit or None] for name in names]
    labels = np.repeat(np.arange(len(classes)), [len(tiles) for tiles in classes])
    return np.concatenate(classes), labels.astype(np.int32)


def _tiles(sheet: bytes) -> Pixels:
    """The tiles of a sheet, row by row."""
    with Image.open(io.BytesIO(sheet)) as image:
        pixels = np.asarray(image.convert("RGB"))
    rows, columns = (side // TILE for side in pixels.shape[:2])
    tiles = pixels.reshape(rows, TILE, columns, TILE, 3).swapaxes(1, 2)
    return tiles.reshape(-1, TILE, TILE, 3)


def boxes(count: int, smallest: float, seed: tuple[int, ...]) -> NDArray[np.float32]:
    """Random crops `(count, 4)`: top, left, bottom, right as shares of the picture.

    Area from `smallest` to 1, sides from 3:4 to 4:3 (Szegedy et al. 2015,
    https://arxiv.org/abs/1409.4842).
    """
    random = np.random.default_rng(seed)
    area = random.uniform(smallest, 1, count)
    ratio = np.exp(random.uniform(-np.log(4 / 3), np.log(4 / 3), count) / 2)
    height, width = (np.minimum(np.sqrt(area) * r, 1) for r in (ratio, 1 / ratio))
    top, left = (random.uniform(0, 1 - side) for side in (height, width))
    return np.stack([top, left, top + height, left + width], 1).astype(np.float32)


def crop(images: Any, crops: Any, size: int) -> Any:
    """The crops of the images, float32 `(images, size, size, 3)` in [0, 255]."""
    order = tf.range(tf.shape(images)[0])
    return tf.image.crop_and_resize(
        tf.cast(images, tf.float32), crops, order, (size, size)
    )


class Teacher:
    """What the teacher makes of each view of the training pictures, kept on disk.

    Args:
        recipe: Names the teacher and its views.
        images: The training pictures.
        folder: Where the features are kept.
    """

    def __init__(self, recipe: Recipe, images: Pixels, folder: Path) -> None:
        self._recipe, self._images, self._folder = recipe, images, folder
        self._engine: engines.Engine | None = None

    def features(self, view: int) -> NDArray[np.float16]:
        """Features `(images, channels)` of one view, scaled to mean 0, deviation 1."""
        path = self._folder / f"teacher{view}.npy"
        if not path.is_file():
            found = self._compute(view)
            found = (found - found.mean(0)) / (found.std(0) + 1e-3)
            with io.BytesIO() as file:
                np.save(file, found.astype(np.float16))
                workspace.write_atomically(path, file.getvalue())
        return np.asarray(np.load(path, mmap_mode="r"))

    def _compute(self, view: int) -> NDArray[np.float32]:
        crops = self.crops(view)
        parts = []
        for start in range(0, len(self._images), engines.BATCH):
            rows = slice(start, start + engines.BATCH)
            pixels = crop(self._images[rows], crops[rows], _TEACHER_SIZE)
            parts.append(self._looking().run(tf.cast(pixels, tf.uint8).numpy())[0])
        return np.concatenate(parts).astype(np.float32)

    def crops(self, view: int) -> NDArray[np.float32]:
        """The boxes of one view; see `boxes`."""
        recipe = self._recipe
        return boxes(len(self._images), recipe.smallest_crop, (recipe.seed, view))

    def _looking(self) -> engines.Engine:
        if self._engine is None:
            size, name = (_TEACHER_SIZE, _TEACHER_SIZE), self._recipe.teacher
            model = graph.build(name, weights="imagenet", image_size=size)
            key = f"teacher-{graph.fingerprint(model)}-{_TEACHER_SIZE}"
            features = add_pooling(model)
            self._engine = engines.choose(features, name, key, print, bfloat16=True)
        return self._engine


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
        with _quick():
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


@contextlib.contextmanager
def _quick() -> Iterator[None]:
    """Layers made in the block compute in bfloat16 where the processor can: 1.3 times
    as fast; their weights stay float32.
    """
    before = keras.config.dtype_policy()
    if engines.computes_bfloat16():
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


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


def pretrain(data: Path, output: Path, recipe: Recipe, limit: int = 0) -> Path:
    """Trains, or goes on from the checkpoint in `output`; the weights file it wrote.

    Writes `log.jsonl` with a line per epoch, `checkpoint.npz` and at the end
    `weights.npz` into `output`.

    Args:
        data: Tiny ImageNet; see `read`.
        output: Folder, made if it is missing.
        recipe: How.
        limit: Pictures of each class that are taken; 0 takes all.
    """
    output.mkdir(parents=True, exist_ok=True)
    images, labels = read(data, "train", limit)
    val = read(data, "val", limit)
    teacher = Teacher(recipe, images, output)
    channels = teacher.features(0).shape[1] if recipe.teacher else 0
    steps = max(1, len(images) // recipe.batch_size)
    student = Student(recipe, int(labels.max()) + 1, channels, steps)
    for epoch in range(_resume(student, output), len(recipe.sizes)):
        start = time.perf_counter()
        line = _epoch(student, teacher, images, labels, recipe, epoch)
        line |= {"seconds": round(time.perf_counter() - start, 1)}
        sizes = _VAL_SIZES if epoch + 1 == len(recipe.sizes) else _VAL_SIZES[:1]
        line["val_accuracy"] = {s: round(student.accuracy(*val, s), 4) for s in sizes}
        _keep(student, output, epoch + 1, line)
    return _finish(student, output)


def _epoch(
    student: Student,
    teacher: Teacher,
    images: Pixels,
    labels: Labels,
    recipe: Recipe,
    epoch: int,
) -> dict[str, Any]:
    view, size = epoch % recipe.teacher_views, recipe.sizes[epoch]
    crops = teacher.crops(view if recipe.teacher else epoch)
    target = teacher.features(view) if recipe.teacher else np.zeros((len(images), 0))
    told = []
    for rows in _batches(len(images), recipe, epoch):
        batch = (images[rows], crops[rows], labels[rows], target[rows])
        told.append(student.step(*map(tf.constant, batch), size))
    entropy, distance, accuracy = np.mean([[float(x) for x in row] for row in told], 0)
    return {
        "epoch": epoch + 1,
        "size": size,
        "loss": round(float(entropy), 4),
        "distance": round(float(distance), 4),
        "accuracy": round(float(accuracy), 4),
    }


def _batches(count: int, recipe: Recipe, epoch: int) -> Iterator[NDArray[np.int64]]:
    order = np.random.default_rng((recipe.seed, epoch, 1)).permutation(count)
    size = min(recipe.batch_size, count)
    for start in range(0, count - size + 1, size):
        yield order[start : start + size]


def _resume(student: Student, output: Path) -> int:
    """Epochs that the checkpoint has done; its state is put into the student."""
    path = output / "checkpoint.npz"
    if not path.is_file():
        return 0
    with np.load(path) as kept:
        for index, variable in enumerate(student.variables):
            variable.assign(kept[f"v{index}"])
        return int(kept["epochs"])


def _keep(student: Student, output: Path, epochs: int, line: dict[str, Any]) -> None:
    values = {f"v{i}": np.asarray(v) for i, v in enumerate(student.variables)}
    with io.BytesIO() as file:
        np.savez(file, allow_pickle=False, epochs=np.array(epochs), **values)
        workspace.write_atomically(output / "checkpoint.npz", file.getvalue())
    print(json.dumps(line), flush=True)
    with (output / "log.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")


def _finish(student: Student, output: Path) -> Path:
    """Writes the backbone's weights in float16."""
    values = {v.path: np.asarray(v, np.float16) for v in student.backbone.variables}
    with io.BytesIO() as file:
        np.savez_compressed(file, allow_pickle=False, **values)
        workspace.write_atomically(output / "weights.npz", file.getvalue())
    return output / "weights.npz"


def _sizes(text: str) -> tuple[int, ...]:
    """`48*3,64` is three epochs at 48 pixels, then one at 64."""
    pairs = [(*part.split("*"), "1")[:2] for part in text.split(",")]
    return tuple(int(size) for size, count in pairs for _ in range(int(count)))


def main() -> None:
    """Reads the command line and pretrains."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="Tiny ImageNet, a zip")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--sizes",
        type=_sizes,
        default=_sizes("48*10,64*8,80*2"),
        help="pixels of the crops by epoch, such as 48*10,64*8",
    )
    parser.add_argument(
        "--teacher", default="", help="backbone to learn from, such as mobilenet_v2"
    )
    parser.add_argument("--teacher-weight", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--limit", type=int, default=0, help="pictures of each class; 0 takes all"
    )
    given = parser.parse_args()
    recipe = Recipe(
        sizes=given.sizes,
        teacher=given.teacher,
        teacher_weight=given.teacher_weight,
        seed=given.seed,
    )
    print(pretrain(given.data, given.output, recipe, given.limit))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
