"""A whole classifier on one picture or on thousands, the fastest way for each.

What lies below the head runs in the engine that is fastest on this machine, while the
next pictures are decoded; a few pictures go through Keras, which need not be converted
first. A conversion that training made of the same weights is used again.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from transfer.datasets import decoding
from transfer.datasets.decoding import Grey
from transfer.errors import ImageError
from transfer.features import engines
from transfer.features.engines import BATCH, Engine
from transfer.features.extract import Extractor, ahead

#: From this number of pictures on an engine is worth its start, which takes seconds
#: the first time that a model is used.
MANY = 2 * BATCH

Pixels = NDArray[np.uint8]


class Answers(NamedTuple):
    """What a classifier says of pictures.

    Attributes:
        probabilities: `(pictures, num_classes)`, float32; rows sum to 1, and are not a
            number where a picture cannot be read.
        features: What the head saw, `(pictures, channels)`, float32.
        unreadable: Errors of pictures, by their position.
    """

    probabilities: NDArray[np.float32]
    features: NDArray[np.float32]
    unreadable: dict[int, ImageError]


class Runner:
    """Runs a whole classifier.

    Args:
        model: As `classifier.assemble` makes it.
        backbone: Name in the catalogue; engines' speeds are kept under it.
        log: Takes a line that says which engine it is and why.
        grey: The range of deep grey of the dataset that the model learnt from.
    """

    def __init__(
        self,
        model: keras.Model,
        backbone: str,
        log: Callable[[str], None],
        grey: Grey | None = None,
    ) -> None:
        height, width = model.input_shape[1:3]
        self.image_size = (height, width)
        self._pooled: keras.Model = model.get_layer("pooled_backbone")
        self._head: keras.Model = model.get_layer("head")
        self._backbone, self._log, self.grey = backbone, log, grey

    def kept_features(
        self, hashes: Sequence[str]
    ) -> tuple[NDArray[np.float32], list[int]]:
        """What training left of the same backbone with these weights.

        Args:
            hashes: SHA-256 of images.

        Returns:
            Pooled features `(images, channels)`, in either precision, and the positions
            of those that are not kept; their rows hold anything.
        """
        rows = np.empty((len(hashes), self._pooled.output_shape[-1]), np.float32)
        lost = list(range(len(hashes)))
        # Exact ones first; a training in bfloat16 has left only val's in float32.
        for bfloat16 in (False, True):
            shelf = self._extractor(bfloat16).shelves["pooling"]
            found, still = shelf.read([hashes[i] for i in lost])
            rows[lost] = found
            lost = [lost[i] for i in still]
        return rows, lost

    def _extractor(self, bfloat16: bool) -> Extractor:
        name, log = self._backbone, self._log
        return Extractor(self._pooled, ["pooling"], name, log, bfloat16, self.grey)

    @cached_property
    def _engine(self) -> Engine:
        key = self._extractor(bfloat16=False).tensors["pooling"].engine
        return engines.choose(self._pooled, self._backbone, key, self._log)

    def prepare(self, pictures: int) -> None:
        """Converts and measures the model where so many pictures are worth it."""
        if pictures >= MANY:
            _ = self._engine

    def warm(self) -> None:
        """Builds what the first answer needs."""
        self._few(np.zeros((1, *self.image_size, 3), np.uint8))

    def run(self, pictures: Sequence[Path | bytes]) -> Answers:
        """The answers for encoded pictures or files of them, in their order."""
        channels, classes = self._head.input_shape[-1], self._head.output_shape[-1]
        # Not a number where a picture cannot be read, so that no row shifts.
        features = np.full((len(pictures), channels), np.nan, np.float32)
        probabilities = np.full((len(pictures), classes), np.nan, np.float32)
        unreadable: dict[int, ImageError] = {}
        compute = self._many if len(pictures) >= MANY else self._few
        for start, batch in ahead(pictures, self._decode):
            readable: dict[int, Pixels] = {}
            for position, one in enumerate(batch, start):
                if isinstance(one, ImageError):
                    unreadable[position] = one
                else:
                    readable[position] = one
            if readable:
                at = [*readable]
                features[at] = compute(np.stack([*readable.values()]))
                probabilities[at] = self._classify(features[at])
        return Answers(probabilities, features, unreadable)

    def _few(self, pixels: Pixels) -> NDArray[np.float32]:
        found = self._pooled.predict_on_batch(pixels.astype(np.float32))
        return np.asarray(found, np.float32)

    def _many(self, pixels: Pixels) -> NDArray[np.float32]:
        (found,) = self._engine.run(pixels)
        return np.asarray(found, np.float32)

    def _classify(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities: the head, and the softmax that follows it."""
        logits = np.asarray(self._head(features, training=False), np.float64)
        # In float64, and from the largest on, so that no exponential overflows.
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        return np.asarray(powers / powers.sum(-1, keepdims=True), np.float32)

    def _decode(self, picture: Path | bytes) -> Pixels | ImageError:
        try:
            return decoding.decode(picture, self.image_size, self.grey)
        except ImageError as error:
            return error
