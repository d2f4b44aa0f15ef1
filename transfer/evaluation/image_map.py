"""A map of images: what looks alike to a backbone lies close together."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

#: Images on a map; more take long and run into a blot.
MOST = 2000
#: Dimensions that are left for t-SNE; the others are mostly noise.
_DIMENSIONS = 50
#: Fewer images have no neighbourhoods.
_FEWEST = 10


def choose(images: int, seed: int = 0, most: int = MOST) -> NDArray[np.int64]:
    """Positions of the images to put on the map, rising; `MOST` or `most` of them."""
    order = np.random.default_rng(seed).permutation(images)[: min(most, MOST)]
    return np.sort(order).astype(np.int64)


def layout(features: NDArray[np.floating[Any]], seed: int = 0) -> NDArray[np.float32]:
    """Places `(images, 2)` on the map, of features `(images, channels)`.

    Principal components, then t-SNE from there on (van der Maaten and Hinton 2008,
    https://jmlr.org/papers/v9/vandermaaten08a.html). Fewer than ten images get their
    first two principal components.
    """
    if not len(features):
        return np.empty((0, 2), np.float32)
    # Threads of scikit-learn wait for each other without sleeping: beside a training
    # that has all cores, 700 images took 79 s with two threads and 8 s with one.
    with threadpool_limits(1):
        return _place(features, seed)


def _place(features: NDArray[np.floating[Any]], seed: int) -> NDArray[np.float32]:
    # Takes more than a second, and of a worker's work only this needs it.
    from sklearn.decomposition import PCA  # noqa: PLC0415
    from sklearn.manifold import TSNE  # noqa: PLC0415

    images, channels = features.shape
    kept = min(_DIMENSIONS, images, channels)
    if images < 2:
        return np.zeros((images, 2), np.float32)
    components = PCA(kept, random_state=seed).fit_transform(features)
    if images < _FEWEST or kept < 2:
        return np.pad(components, [(0, 0), (0, 2)])[:, :2].astype(np.float32)
    perplexity = min(30.0, (images - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init="pca", max_iter=500, random_state=seed)
    return np.asarray(tsne.fit_transform(components), np.float32)
