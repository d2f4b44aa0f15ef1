"""Makes the starter's weights: `python -m transfer.training.starter.pretrain`.

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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from transfer import workspace
from transfer.backbones import graph
from transfer.classifier.model import add_pooling
from transfer.features import converted, engines
from transfer.training.starter.pictures import Labels, Pixels, boxes, crop, read
from transfer.training.starter.student import Recipe, Student

#: Sizes in pixels at which the val pictures are judged.
_VAL_SIZES = (64, 80, 96, 112)

_TEACHER_SIZE = 160


class Teacher:
    """What the teacher makes of each view of the training pictures, kept on disk.

    Args:
        recipe: Names the teacher and its views.
        images: The training pictures.
        folder: Where the features are kept.
    """

    def __init__(self, recipe: Recipe, images: Pixels, folder: Path) -> None:
        self._recipe, self._images, self._folder = recipe, images, folder
        self._engine: converted.Engine | None = None

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
        for start in range(0, len(self._images), converted.BATCH):
            rows = slice(start, start + converted.BATCH)
            pixels = crop(self._images[rows], crops[rows], _TEACHER_SIZE)
            parts.append(self._looking().run(tf.cast(pixels, tf.uint8).numpy())[0])
        return np.concatenate(parts).astype(np.float32)

    def crops(self, view: int) -> NDArray[np.float32]:
        """The boxes of one view; see `boxes`."""
        recipe = self._recipe
        return boxes(len(self._images), recipe.smallest_crop, (recipe.seed, view))

    def _looking(self) -> converted.Engine:
        if self._engine is None:
            size, name = (_TEACHER_SIZE, _TEACHER_SIZE), self._recipe.teacher
            model = graph.build(name, weights="imagenet", image_size=size)
            key = f"teacher-{graph.fingerprint(model)}-{_TEACHER_SIZE}"
            features = add_pooling(model)
            self._engine = engines.choose(features, name, key, print, bfloat16=True)
        return self._engine


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
    with _quick():
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
