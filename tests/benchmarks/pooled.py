"""Pooled features of labelled pictures, of the default backbone.

They are computed once and kept in `.benchmarks/`.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks import bench, picture_sets
from transfer.datasets import decoding
from transfer.datasets.ingest import samples

BACKBONE, SIZE = "efficientnet_lite0", (224, 224)
#: Features `(images, channels)` and the label index of each image.
Set = tuple[NDArray[np.float32], NDArray[np.int32]]

#: Classes of Tiny ImageNet, and pictures of each.
_TINY = {"20 of Tiny ImageNet": (20, 300), "Tiny ImageNet": (200, 100)}
NAMES = ("flowers", "digits", "gearwheels", *_TINY)


def load(name: str) -> Set:
    """The features of one of `NAMES`."""
    path = bench.ROOT / ".benchmarks" / f"{BACKBONE} {name}.npz"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            x, y = _compute(_pictures(name, Path(folder)))
        np.savez(path, x=x, y=y)
    with np.load(path) as kept:
        return kept["x"], kept["y"]


def draw(y: NDArray[np.int32], each: int, seed: int) -> NDArray[np.int64]:
    """So many images of every class."""
    random = np.random.default_rng(seed)
    of_class = (
        random.permutation(np.flatnonzero(y == label)) for label in np.unique(y)
    )
    return np.concatenate([places[:each] for places in of_class])


def _compute(pictures: Iterable[tuple[NDArray[np.uint8], int]]) -> Set:
    # Where the features are kept already, nothing of this is needed.
    from transfer.classifier import model as classifier  # noqa: PLC0415
    from transfer.features.engines import BATCH, OpenVINOEngine  # noqa: PLC0415

    rows, labels, batch = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(bench.environment(Path(folder)))
        backbone = classifier.pooled_backbone(BACKBONE, "imagenet")
        engine = OpenVINOEngine(backbone, "bench")
        for pixels, label in pictures:
            labels.append(label)
            batch.append(pixels)
            if len(batch) == BATCH:
                rows.append(engine.run(np.stack(batch))[0])
                batch = []
        if batch:
            rows.append(engine.run(np.stack(batch))[0])
    return np.concatenate(rows).astype(np.float32), np.array(labels, np.int32)


def _pictures(name: str, folder: Path) -> Iterator[tuple[NDArray[np.uint8], int]]:
    if name in _TINY:
        yield from _tiny(*_TINY[name])
        return
    root = folder
    if name == "flowers":
        root = bench.flowers(folder)
    else:
        samples.get(name).write(folder)
    for label, one in enumerate(sorted(p for p in root.iterdir() if p.is_dir())):
        for file in sorted(one.iterdir()):
            yield decoding.decode(file, SIZE), label


def _tiny(classes: int, each: int) -> Iterator[tuple[NDArray[np.uint8], int]]:
    labels: dict[str, int] = {}
    for name, small in picture_sets.tiny(slice(None, None, 200 // classes), each):
        label = labels.setdefault(name, len(labels))
        yield np.asarray(small.resize(SIZE)), label
