"""The training images that a picture is most like, in the eyes of the classifier.

Likeness is the cosine of the angle between pooled features, what the head decides by:
the images from which the model has learnt to see this picture as it does.
"""

import io
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer import workspace
from transfer.classifier.runner import Runner
from transfer.datasets import library, names
from transfer.datasets.revision import Image, Revision
from transfer.errors import NotFoundError
from transfer.store import files
from transfer.store.record import Run

#: Training images that are looked at; of more, as many are drawn. Their features take
#: 100 MB with 1,280 channels, and half of it on disk.
MOST = 20_000
#: Up to so many are read at once, where training has left their features.
AT_ONCE = 5_000
#: Images between two words of how far it is.
_PIECE = 512


class Neighbours(NamedTuple):
    """Training images of a run, as its model sees them.

    Attributes:
        features: Of length 1, `(images, channels)`, float32: to make it of what is kept
            took four times as long as the comparison.
        images: The images, in the same order.
        class_names: Names in label order.
    """

    features: NDArray[np.float32]
    images: tuple[Image, ...]
    class_names: tuple[str, ...]

    def nearest(
        self, features: NDArray[np.float32], count: int = 5
    ) -> list[dict[str, Any]]:
        """The images that are most like a picture, the nearest first.

        Args:
            features: Of the picture, `(channels,)`.
            count: Number of images.

        Returns:
            `sha256`, `class_name`, `path` and `similarity`, in [-1, 1], of each.
        """
        similarity = self.features @ _unit(features)
        best = np.argsort(-similarity, kind="stable")[:count]
        return [
            {
                "sha256": self.images[i].sha256,
                "class_name": self.class_names[self.images[i].label],
                "path": self.images[i].path,
                "similarity": float(np.clip(similarity[i], -1, 1)),
            }
            for i in best
        ]


def at_hand(run: Run, runner: Runner) -> Neighbours | None:
    """What is kept of a run's training images; `None` before somebody called `look`.

    Args:
        run: A run that has finished.
        runner: Its model.

    Raises:
        NotFoundError: Its dataset was deleted.
    """
    revision, path = _revision(run), files.neighbours(run.id)
    modified = path.stat().st_mtime_ns if path.exists() else 0
    if known := _read(path, modified, run.dataset, revision.id):
        return known
    images = _draw(revision)
    if len(images) > AT_ONCE:
        return None
    # Of a frozen backbone training has left all: reading them takes no second.
    features, lost = runner.kept_features([image.sha256 for image in images])
    return None if lost else _keep(run, revision, features)


def look(
    run: Run, runner: Runner, told: Callable[[int, int], None] = lambda done, of: None
) -> Neighbours:
    """All training images of a run as its model sees them, kept for the next time.

    Args:
        run: A run that has finished.
        runner: Its model.
        told: Takes the number of images that are done, and of all, again and again.

    Raises:
        NotFoundError: Its dataset was deleted.
        ImageError: A training image was damaged.
    """
    revision = _revision(run)
    hashes = [image.sha256 for image in _draw(revision)]
    # In bfloat16 they are off by less than a hundredth, and likeness by less than that.
    features, lost = runner.kept_features(hashes)
    for start in range(0, len(lost), _PIECE):
        told(len(hashes) - len(lost) + start, len(hashes))
        piece = lost[start : start + _PIECE]
        found = runner.run([library.image_path(hashes[i]) for i in piece])
        for error in found.unreadable.values():
            raise error
        features[piece] = found.features
    return _keep(run, revision, features)


def _revision(run: Run) -> Revision:
    try:
        return library.load(run.dataset, run.revision)
    except NotFoundError as error:
        raise NotFoundError(
            "What was learnt from is gone: "
            f'the dataset "{names.title(run.dataset)}" was deleted.'
        ) from error


def _draw(revision: Revision) -> tuple[Image, ...]:
    """The training images, or as many of them as are looked at."""
    train = revision.of_split("train")
    if len(train) <= MOST:
        return train
    chosen = np.random.default_rng(0).choice(len(train), MOST, replace=False)
    return tuple(train[i] for i in np.sort(chosen))


@lru_cache(maxsize=4)
def _read(
    path: Path, modified: int, dataset: str, revision_id: str
) -> Neighbours | None:
    """What is kept; `None` where there is nothing, or it is damaged or of others."""
    try:
        revision = library.load(dataset, revision_id)
        images = _draw(revision)
        with np.load(path) as kept:
            if [*kept["sha256"]] != [image.sha256 for image in images]:
                return None
            features = np.asarray(kept["features"], np.float32)
    except (OSError, ValueError, KeyError, EOFError):
        return None
    return Neighbours(features, images, revision.class_names)


def _keep(run: Run, revision: Revision, features: NDArray[np.float32]) -> Neighbours:
    images, unit = _draw(revision), _unit(features).astype(np.float16)
    buffer = io.BytesIO()
    np.savez(buffer, features=unit, sha256=[image.sha256 for image in images])
    workspace.write_atomically(files.neighbours(run.id), buffer.getvalue())
    return Neighbours(unit.astype(np.float32), images, revision.class_names)


def _unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The features at length 1; all zeros stay what they are."""
    length = np.linalg.norm(features, axis=-1, keepdims=True)
    unit: NDArray[np.float32] = features / np.maximum(length, 1e-12)
    return unit
