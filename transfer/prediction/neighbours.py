"""The training images that a picture is most like, in the eyes of the classifier.

Likeness is the cosine of the angle between pooled features, what the head decides by:
the images from which the model has learnt to see this picture as it does.
"""

import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer import workspace
from transfer.classifier.runner import Runner
from transfer.datasets import library
from transfer.datasets.revision import Image
from transfer.errors import NotFoundError
from transfer.store import files
from transfer.store.record import Run

#: Training images that are looked at; of more, as many are drawn. Their features take
#: 50 MB with 1,280 channels.
MOST = 20_000


class Neighbours(NamedTuple):
    """Training images of a run, as its model sees them.

    Attributes:
        features: Of length 1, `(images, channels)`, float16.
        images: The images, in the same order.
        class_names: Names in label order.
    """

    features: NDArray[np.float16]
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
        similarity = self.features.astype(np.float32) @ _unit(features)
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


def of_run(run: Run, runner: Runner) -> Neighbours:
    """The training images of a run; their features are computed once and kept.

    Args:
        run: A run that has finished.
        runner: Its model.

    Raises:
        NotFoundError: Its dataset was deleted.
        ImageError: A training image was damaged.
    """
    try:
        revision = library.load(run.dataset, run.revision)
    except NotFoundError as error:
        raise NotFoundError(
            f'The training images are gone: the dataset "{run.dataset}" was deleted.'
        ) from error
    train = _drawn(revision.of_split("train"))
    path = files.neighbours(run.id)
    features = _kept(path, train)
    if features is None:
        features = _unit(_computed(train, runner)).astype(np.float16)
        _keep(path, features, train)
    return Neighbours(features, train, revision.class_names)


def _drawn(train: tuple[Image, ...]) -> tuple[Image, ...]:
    if len(train) <= MOST:
        return train
    chosen = np.random.default_rng(0).choice(len(train), MOST, replace=False)
    return tuple(train[i] for i in np.sort(chosen))


def _kept(path: Path, train: tuple[Image, ...]) -> NDArray[np.float16] | None:
    """What an earlier time left; None where it is missing or of other images."""
    try:
        with np.load(path) as kept:
            same = [*kept["sha256"]] == [image.sha256 for image in train]
            return np.asarray(kept["features"], np.float16) if same else None
    except (OSError, ValueError, KeyError, EOFError):
        return None


def _keep(path: Path, features: NDArray[np.float16], train: tuple[Image, ...]) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, features=features, sha256=[image.sha256 for image in train])
    workspace.write_atomically(path, buffer.getvalue())


def _computed(train: tuple[Image, ...], runner: Runner) -> NDArray[np.float32]:
    """Pooled features: those that training left in the cache, and the others anew."""
    hashes = [image.sha256 for image in train]
    # In bfloat16 they are off by less than a hundredth, and likeness by less than that.
    features, lost = runner.kept_features(hashes)
    if lost:
        found = runner.run([library.image_path(hashes[i]) for i in lost])
        for error in found.unreadable.values():
            raise error
        features[lost] = found.features
    return features


def _unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The features at length 1; all zeros stay what they are."""
    length = np.linalg.norm(features, axis=-1, keepdims=True)
    unit: NDArray[np.float32] = features / np.maximum(length, 1e-12)
    return unit
