"""Groups the pictures of a pile by their features, so that each is sorted in one go."""

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from transfer import workspace
from transfer.advice import probes
from transfer.backbones.weights import default_backbone
from transfer.classifier.sight import see_with
from transfer.datasets import library, scratch
from transfer.datasets.revision import Image, Revision
from transfer.doctor import examine, similar
from transfer.pile import waiting
from transfer.pile.suggest import FILE

#: Pictures from which on groups are found by some of them at a time.
_MANY = 3000
#: Pictures of a group on average: what one sees at a glance.
_OF_A_GROUP = 12
#: Images of the dataset at most that the first suggestions are learnt from.
_TEACHERS = 2000

#: Takes the number of images whose features are known, and of all.
Told = Callable[[int, int], None]


def group(dataset: str, backbone: str, weights: str, told: Told) -> None:
    """Keeps the groups of a pile, and all that suggestions need.

    Args:
        dataset: Name of the dataset.
        backbone: Whose features are looked at; the best at hand if empty.
        weights: Where its parameters come from.
        told: Hears how far it is.

    Raises:
        NotFoundError: There is no such dataset.
        BackboneError: It is not in the catalogue, or has no weights here.
        StorageError: The disk is full.
    """
    newest, pile = library.load(dataset), waiting.read(dataset)
    hashes = [one.sha256 for one in pile.pictures]
    if not hashes:
        return
    teachers = _teachers(newest)
    asked = [Image(sha256=one, path=one, label=0, split="train") for one in hashes]
    both = replace(newest, images=(*teachers, *asked))
    with scratch.folder() as folder:
        name = backbone or default_backbone(newest.kind)
        exact = see_with(name, weights, newest.rendering)
        features = examine.features_of(both, exact, folder, told)
        near = similar.project(features)
    names = [newest.class_names[one.label] for one in teachers]
    buffer = io.BytesIO()
    np.savez(
        buffer,
        hashes=np.array(hashes),
        groups=cluster(near[len(teachers) :]),
        features=near[len(teachers) :],
        teachers=near[: len(teachers)],
        names=np.array(names, dtype=str),
    )
    workspace.write_atomically(waiting.folder_of(dataset) / FILE, buffer.getvalue())


def _teachers(revision: Revision) -> list[Image]:
    """Training images of every class."""
    train = revision.of_split("train")
    labels = np.array([one.label for one in train], np.int32)
    return [train[at] for at in probes.stratified_sample(labels, _TEACHERS)]


def cluster(near: NDArray[np.float32]) -> NDArray[np.int64]:
    """The group of each picture."""
    # Hidden while Keras is imported, and not to be waited for before.
    from sklearn.cluster import KMeans, MiniBatchKMeans  # noqa: PLC0415

    count = -(-len(near) // _OF_A_GROUP)
    # Of many it looks at some at a time: 10,000 took 75 s of a core, and so 34.
    if len(near) > _MANY:
        found = MiniBatchKMeans(count, batch_size=_MANY, n_init=1, random_state=0)
    else:
        found = KMeans(count, n_init=3, random_state=0)
    found.fit(near)
    groups: NDArray[np.int64] = found.labels_.astype(np.int64)
    return groups
