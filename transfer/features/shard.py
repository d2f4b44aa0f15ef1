"""Features as shards: views of images that any machine of the cluster computes.

What it needs lies in the shared workspace: the images, the prefix as it was converted,
the shelves. So the names of these travel, and back those of the segments that it wrote.
Neither Keras nor the backbone is needed.
"""

from collections.abc import Callable, Sequence
from functools import cache as once
from functools import partial
from typing import NamedTuple

import numpy as np

from transfer import cluster, shards
from transfer.errors import StorageError
from transfer.features import cache, converted
from transfer.features.ahead import ahead
from transfer.features.cache import Shelf
from transfer.features.converted import BATCH, Converted
from transfer.features.views import Reading, View

#: Views of a shard at least: some seconds of a core.
_LEAST = 256
#: Shards at most, for each leaves a file, and whoever reads looks into all of them.
_MOST_SHARDS = 1000


class Tensor(NamedTuple):
    """A tensor of the backbone's graph whose values are kept.

    Attributes:
        key: Names everything that its values depend on but the image.
        engine: Names the prefix that computes it, in either precision.
        shape: Its shape for one image.
        dtype: NumPy dtype: uint8 where it is the pixels themselves, else float32.
    """

    key: str
    engine: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def is_pixels(self) -> bool:
        """Whether no engine is needed to compute it."""
        return self.dtype == "uint8"

    def shelf(self, is_read: bool = True) -> Shelf:
        """Where its values are kept; `is_read` as in `Shelf`."""
        return Shelf(self.key, self.shape, self.dtype, is_read)


class Recipe(NamedTuple):
    """How some tensors are computed of an image.

    Attributes:
        tensors: Their values are kept.
        reading: How images are read.
        key: Names the converted prefix that has those as outputs which are not the
            pixels themselves; empty where all are.
        hint: OpenVINO's name of the precision.
    """

    tensors: tuple[Tensor, ...]
    reading: Reading
    key: str = ""
    hint: str = ""


def pays(count: int) -> bool:
    """Whether other machines are asked for the tensors of so many views.

    A few are done here before a process is connected to the cluster and a prefix that
    nobody else has, such as a run's own, is converted, which takes some ten seconds.
    """
    return cluster.is_used() and count >= 4 * _LEAST


def keep_all(
    recipe: Recipe,
    shelves: Sequence[Shelf],
    views: Sequence[View],
    tell: Callable[[int], None],
) -> None:
    """Has the tensors of all these views computed and kept, here and elsewhere.

    Args:
        recipe: How.
        shelves: Those of the tensors; they know what was kept.
        views: Of which images.
        tell: Takes how many views each shard had.

    Raises:
        StorageError: The disk is full.
        ImageError: An image cannot be read.
    """
    # Whole batches: in which place of one a picture lies may change its last bits.
    size = max(_LEAST, BATCH * -(-len(views) // (BATCH * _MOST_SHARDS)))
    pieces = [views[start : start + size] for start in range(0, len(views), size)]
    compute = partial(keep, recipe)
    for number, names in enumerate(shards.each(compute, pieces, threads=1, task=1)):
        for shelf, segments in zip(shelves, names, strict=True):
            for segment in segments:
                shelf.keep(shelf.folder / segment)
        tell(len(pieces[number]))


def keep(recipe: Recipe, views: Sequence[View]) -> list[list[str]]:
    """Computes and keeps the tensors of some views; the files, for each tensor.

    Raises:
        StorageError: The disk is full, or the prefix is not there.
        ImageError: An image cannot be read.
    """
    shelves = [tensor.shelf(is_read=False) for tensor in recipe.tensors]
    computed = sum(not tensor.is_pixels for tensor in recipe.tensors)
    engine = _engine(recipe.key, recipe.hint, computed)
    with cache.writers(shelves) as writers:
        for start, batch in ahead(views, recipe.reading.pixels):
            shards.go_on()
            pixels = np.stack(batch)
            outputs = iter(engine.run(pixels) if engine else ())
            keys = [view.key for view in views[start : start + len(pixels)]]
            for tensor, writer in zip(recipe.tensors, writers, strict=True):
                writer.add(keys, pixels if tensor.is_pixels else next(outputs))
    return [[segment.name for segment in one.segments] for one in writers]


@once
def _engine(key: str, hint: str, outputs: int) -> Converted | None:
    """The prefix; it is warm for the next shard that a process works at."""
    if not key:
        return None
    if hint == "bf16" and not converted.computes_bfloat16():
        # It would compute in float32, and say that it did not.
        raise StorageError("This machine does not compute in bfloat16.")
    if path := converted.find(key):
        return Converted(path, outputs, hint)
    raise StorageError(f"The converted prefix {key} is not in the workspace.")
