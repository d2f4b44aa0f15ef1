"""The learning curve of a dataset, on features that are kept or computed for it."""

from collections.abc import Callable

import numpy as np

from transfer.advice import growth
from transfer.advice.growth import Growth
from transfer.classifier.sight import LAYER, see_with, soonest
from transfer.datasets.decoding import Resizing
from transfer.datasets.revision import Revision
from transfer.features.rows import Features

#: Takes what is done (`features`, `heads`), how many of them, and of how many.
Told = Callable[[str, int, int], None]


def measure(
    revision: Revision,
    backbone: str,
    weights: str,
    told: Told,
    resizing: Resizing = "stretch",
) -> Growth:
    """How accuracy grows with the training images.

    Args:
        revision: The dataset.
        backbone: Whose features are looked at.
        weights: Where its parameters come from.
        told: Hears how far it is.
        resizing: As in `TrainConfig`.

    Raises:
        BackboneError: It is not in the catalogue, or has no weights here.
        DatasetError: There are too few training images.
    """
    train = revision.of_split("train")
    growth.check_enough([image.label for image in train])
    hashes = [image.sha256 for image in train]
    exact = see_with(backbone, weights, revision.rendering, resizing)
    extractor = soonest(exact, hashes)
    features = Features(extractor, LAYER, hashes)
    extractor.compute(
        {LAYER: features.kept_views},
        lambda done, of: told("features", done, of),
    )
    extractor.release()
    features.load()
    return growth.grow(
        features,
        np.array([image.label for image in train], np.int32),
        revision.class_names,
        revision.seed,
        lambda done, of: told("heads", done, of),
    )
