"""Features and labels that a training learns from, in a precision that is safe."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer.classifier import closed_form
from transfer.config import TrainConfig
from transfer.datasets.revision import Revision, Split
from transfer.errors import StorageError
from transfer.features.extract import Extractor
from transfer.features.rows import Features
from transfer.features.views import View
from transfer.training.listener import Listener
from transfer.training.network import Network

#: Images on which bfloat16 is compared with float32.
_SAMPLE = 384


class Examples(NamedTuple):
    """Features and labels of one split.

    Attributes:
        features: The features of its images.
        labels: Their label indices, int32 `(images,)`.
    """

    features: Features
    labels: NDArray[np.int32]


#: The examples of train and val at one layer.
BySplit = Mapping[Split, Examples]


def compute(
    network: Network,
    layers: Sequence[str],
    config: TrainConfig,
    revision: Revision,
    listener: Listener,
) -> dict[str, BySplit]:
    """Features and labels of train and val at each of these layers.

    Args:
        network: Whose backbone gives the features.
        layers: Names of its layers, `pooling` among them; one may be named again.
        config: The settings.
        revision: The images, their classes and splits.
        listener: Hears how far it is, and says when to stop.

    Raises:
        StopRequested: The stop was requested.
        TransferError: An image cannot be read.
    """
    once = list(dict.fromkeys(layers))
    return _Computing(network, once, config, revision, listener).examples()


class _Computing:
    """One pass over the images of each split, for all layers at once."""

    def __init__(
        self,
        network: Network,
        layers: Sequence[str],
        config: TrainConfig,
        revision: Revision,
        listener: Listener,
    ) -> None:
        self._backbone, self._layers = network.backbone, layers
        self._config, self._revision, self._listener = config, revision, listener

    def examples(self) -> dict[str, BySplit]:
        """See `compute`."""
        exact = self._extractor()
        # What is judged is the model as it predicts and leaves: in float32.
        val = self._of_split("val", exact)
        train = self._of_split("train", self._quickest(exact))
        for one in [*val.values(), *train.values()]:
            one.features.load()
        return {n: {"train": train[n], "val": val[n]} for n in self._layers}

    def _extractor(self) -> Extractor:
        return Extractor(
            self._backbone,
            self._layers,
            self._config.backbone,
            self._listener.log,
            self._revision.rendering,
            self._config.resizing,
        )

    def _of_split(self, split: Split, extractor: Extractor) -> dict[str, Examples]:
        """The examples of a split by layer; their features are in the cache then."""
        images, config = self._revision.of_split(split), self._config
        hashes = [image.sha256 for image in images]
        labels = np.array([image.label for image in images], np.int32)
        # Val is judged on the images themselves, so only train has random views.
        views = (config.augmentations, config.views) if split == "train" else ()
        examples = {
            layer: Examples(Features(extractor, layer, hashes, *views), labels)
            for layer in self._layers
        }
        wanted = {layer: one.features.kept_views for layer, one in examples.items()}
        self._fill_cache(extractor, wanted)
        return examples

    def _fill_cache(
        self, extractor: Extractor, wanted: Mapping[str, Sequence[View]]
    ) -> None:
        """Computes what is not kept yet; a full disk ends no run."""

        def tell(done: int, of: int) -> None:
            self._listener.progress(phase="prepare", step=done, steps=of)
            self._listener.check_stop()

        try:
            extractor.compute(wanted, tell)
        except StorageError as error:
            self._listener.log(
                f"{error} This run goes on without the cache, from the files."
            )

    def _quickest(self, exact: Extractor) -> Extractor:
        """In bfloat16 where that is faster here and these images' answers agree."""
        precision = self._config.precision
        if precision == "float32" or not exact.is_faster_in_bfloat16():
            return exact
        quick = exact.in_bfloat16()
        # By the user's own will without a comparison.
        if precision == "bfloat16":
            exact.release()
            return quick
        if self._answer_alike(exact, quick):
            return quick
        return exact

    def _answer_alike(self, exact: Extractor, quick: Extractor) -> bool:
        """Whether both teach the same, on some of the training images."""
        train = self._revision.of_split("train")
        # The same ones in every run, so that their features are in the cache next time.
        chosen = np.random.default_rng(0).permutation(len(train))[:_SAMPLE]
        views = [View(train[i].sha256) for i in chosen]
        labels = np.array([train[i].label for i in chosen], np.int32)
        self._fill_cache(exact, dict.fromkeys(self._layers, views))
        exact.release()  # two engines at once would take twice the memory
        self._fill_cache(quick, dict.fromkeys(self._layers, views))
        rows, others = (
            one.read("pooling", views).astype(np.float32) for one in (exact, quick)
        )
        alike = agree(rows, others, labels, len(self._revision.class_names))
        self._listener.log(
            f"Features in bfloat16: on {len(views)} examples it answers the same."
            if alike
            else f"Features in float32: on {len(views)} examples bfloat16 differs too "
            "much."
        )
        return alike


def agree(
    exact: NDArray[np.float32],
    quick: NDArray[np.float32],
    labels: NDArray[np.int32],
    num_classes: int,
) -> bool:
    """Whether features of a lower precision teach the same as those of float32.

    Heads are computed on either half of the images, from either kind of features, and
    name the other half in float32, as evaluation, prediction and export do. On
    flower_photos all of 12 samples of 384 images passed, with MobileNetV2 0.35 and
    with another small one; heads from all 2,933 named 99.3 and 99.5 % of val alike.

    Args:
        exact: Pooled features `(images, channels)` in float32.
        quick: The same images' features in the lower precision.
        labels: Their label indices, `(images,)`.
        num_classes: Number of classes.

    Returns:
        Whether both name at least 96 % of the images alike, and the accuracy is at most
        one point lower; False for fewer than 64 images.
    """
    if len(labels) < 64:
        return False
    half = np.arange(len(labels)) < len(labels) // 2
    named = np.empty((2, len(labels)), np.int64)
    for answers, features in zip(named, (exact, quick), strict=True):
        for own in (half, ~half):
            head = closed_form.solve(features[own], labels[own], num_classes)
            answers[~own] = (exact[~own] @ head.kernel + head.bias).argmax(-1)
    right = (named == labels).mean(1)
    return bool((named[0] == named[1]).mean() >= 0.96 and right[1] >= right[0] - 0.01)
