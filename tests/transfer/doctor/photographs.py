"""Made photographs: different ones are unlike each other in light and in detail."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy.ndimage import gaussian_filter

from transfer.datasets.revision import Image, Revision


def photograph(seed: int, side: int = 128) -> Pillow.Image:
    """A picture with large and small shapes, the same for the same seed."""
    random = np.random.default_rng(seed)
    layers = [
        gaussian_filter(random.normal(size=(side, side, 3)), (size, size, 0)) * size
        for size in (16, 6, 2)
    ]
    light = sum(layers)
    light = (light - light.min()) / (light.max() - light.min())
    return Pillow.fromarray((light * 255).astype(np.uint8))


def small_grey(picture: Pillow.Image) -> NDArray[np.uint8]:
    """The picture as `alignment` takes it."""
    return np.asarray(picture.convert("L").resize((64, 64), Pillow.Resampling.BOX))


def revision(
    labels: list[int], splits: list[str] | None = None, paths: list[str] | None = None
) -> Revision:
    """A dataset of images that are named only; classes are `a`, `b` and so on."""
    names = tuple("abcdefgh"[: max(labels) + 1])
    splits = splits or ["train"] * len(labels)
    paths = paths or [f"{names[label]}/{at:04}.jpg" for at, label in enumerate(labels)]
    images = tuple(
        Image(sha256=f"{at:064x}", path=path, label=label, split=split)
        for at, (label, split, path) in enumerate(
            zip(labels, splits, paths, strict=True)
        )
    )
    return Revision(
        dataset="made",
        id="0" * 16,
        class_names=names,
        images=images,
        passed_over=(),
        split_source="stratified",
        val=0.2,
        test=0.0,
        seed=0,
        created_at=0,
    )


PEOPLE = ("anna", "ben", "cleo", "dora", "emil", "fay", "gus", "hana", "ida", "jon")


def people(seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Features of 8 pictures each of ten people in two classes, who and the paths."""
    random = np.random.default_rng(seed)
    who = np.repeat(np.arange(len(PEOPLE)), 8)
    near = random.normal(size=(len(PEOPLE), 24))[who] + 0.3 * random.normal(
        size=(len(who), 24)
    )
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    paths = [
        f"{'ab'[person % 2]}/{PEOPLE[person]}_{at:02}.jpg"
        for at, person in enumerate(who)
    ]
    return near.astype(np.float32), who, paths
