"""Tiny ImageNet's pictures, and random crops of them."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

#: Height and width of Tiny ImageNet's pictures, in pixels.
TILE = 64

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int32]


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
