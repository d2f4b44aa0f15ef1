"""A whole classifier on one picture or on thousands, without Keras.

What lies below the head runs in an engine, while the next pictures are decoded; the
head is a matrix or two. `converting` makes both of a Keras model, once: Keras takes
seconds to be imported, and OpenVINO a tenth of one.
"""

import io
import json
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer import workspace
from transfer.classifier.numpy_head import Floats, NumPyHead
from transfer.datasets import renderings
from transfer.datasets.decoding import Resizing
from transfer.datasets.renderings import Rendering
from transfer.errors import ImageError, StorageError
from transfer.features import converted, keys
from transfer.features.ahead import ahead
from transfer.features.cache import Shelf
from transfer.features.converted import Converted, Engine

Pixels = NDArray[np.uint8]

#: Single pictures whose features are kept: who asks for an answer asks for a heat map
#: and for neighbours of the same one next, and others ask in between.
KEPT = 16


class Answers(NamedTuple):
    """What a classifier says of pictures.

    Attributes:
        probabilities: `(pictures, num_classes)`, float32; rows sum to 1, and are not a
            number where a picture cannot be read.
        features: What the head saw, `(pictures, channels)`, float32.
        unreadable: Errors of pictures, by their position.
    """

    probabilities: Floats
    features: Floats
    unreadable: dict[int, ImageError]


class Runner:
    """Runs a whole classifier.

    Args:
        engine: Gives pooled features `(images, channels)`, and the feature maps that
            they are the means of, `(images, rows, columns, channels)`.
        head: Follows it.
        image_size: `(height, width)` of the pixels that it takes.
        key: Names the backbone up to pooling, with its weights.
        rendering: The rendering of the dataset that the model learnt from.
        resizing: How the pictures were resized that it learnt from.
    """

    def __init__(
        self,
        engine: Engine,
        head: NumPyHead,
        image_size: tuple[int, int],
        key: str,
        rendering: Rendering | None = None,
        resizing: Resizing = "stretch",
    ) -> None:
        self._engine, self.head, self._key = engine, head, key
        self.image_size, self.rendering, self.resizing = image_size, rendering, resizing
        self._of_one = lru_cache(KEPT)(self._compute_one)

    def kept_features(self, hashes: Sequence[str]) -> tuple[Floats, list[int]]:
        """What training left of the same backbone with these weights.

        Args:
            hashes: SHA-256 of images.

        Returns:
            Pooled features `(images, channels)`, in either precision, and the positions
            of those that are not kept; their rows hold anything.
        """
        rows = np.empty((len(hashes), self.head.channels), np.float32)
        lost = list(range(len(hashes)))
        # Exact ones first; a training in bfloat16 has left only val's in float32.
        for bfloat16 in (False, True):
            key = keys.of_shelf(self._key, bfloat16, self.rendering, self.resizing)
            shelf = Shelf(key, (self.head.channels,), "float32")
            found, still = shelf.read([hashes[i] for i in lost])
            rows[lost] = found
            lost = [lost[i] for i in still]
        return rows, lost

    def warm(self) -> None:
        """Does what makes the first answer slow."""
        self._compute(np.zeros((1, *self.image_size, 3), np.uint8))

    def run(self, pictures: Sequence[Path | bytes]) -> Answers:
        """The answers for encoded pictures or files of them, in their order."""
        # Not a number where a picture cannot be read, so that no row shifts.
        shape = (len(pictures), self.head.channels)
        features = np.full(shape, np.nan, np.float32)
        unreadable: dict[int, ImageError] = {}
        for start, batch in ahead(pictures, self._try_to_decode):
            readable: dict[int, Pixels] = {}
            for position, one in enumerate(batch, start):
                if isinstance(one, ImageError):
                    unreadable[position] = one
                else:
                    readable[position] = one
            if readable:
                features[[*readable]], _ = self._compute(np.stack([*readable.values()]))
        return Answers(self.head.probabilities(features), features, unreadable)

    def feature_map(self, pixels: Pixels) -> Floats:
        """What is pooled of one picture, `(rows, columns, channels)`.

        Args:
            pixels: `(height, width, 3)`.
        """
        found: Floats = self._compute(pixels[np.newaxis])[1][0]
        return found

    def _compute(self, pixels: Pixels) -> tuple[Floats, Floats]:
        """Pooled features and maps of pixels `(images, height, width, 3)`."""
        one = len(pixels) == 1
        return self._of_one(pixels.tobytes()) if one else self._run_engine(pixels)

    def _compute_one(self, pixels: bytes) -> tuple[Floats, Floats]:
        shape = (1, *self.image_size, 3)
        return self._run_engine(np.frombuffer(pixels, np.uint8).reshape(shape))

    def _run_engine(self, pixels: Pixels) -> tuple[Floats, Floats]:
        pooled, maps = self._engine.run(pixels)
        return np.asarray(pooled, np.float32), np.asarray(maps, np.float32)

    def decode(self, picture: Path | bytes) -> Pixels:
        """The picture as the model sees it, `(height, width, 3)`.

        Raises:
            ImageError: It cannot be read.
        """
        return renderings.decode(
            picture, self.image_size, self.rendering, self.resizing
        )

    def _try_to_decode(self, picture: Path | bytes) -> Pixels | ImageError:
        try:
            return self.decode(picture)
        except ImageError as error:
            return error


def read(
    record: Path, rendering: Rendering | None = None, resizing: Resizing = "stretch"
) -> Runner | None:
    """The classifier that `write` noted; None if the engine, or the note, is gone.

    Args:
        record: Where it was noted.
        rendering: As in `Runner`.
        resizing: As in `Runner`.
    """
    with suppress(OSError, ValueError, KeyError, EOFError, StorageError):
        with np.load(record, allow_pickle=False) as arrays:
            key = str(json.loads(str(arrays["key"])))
            count = len(arrays.files) // 2
            layers = [(arrays[f"kernel{i}"], arrays[f"bias{i}"]) for i in range(count)]
        if path := converted.find(key):
            engine, head = Converted(path, pools=True), NumPyHead(tuple(layers))
            return Runner(engine, head, engine.image_size, key, rendering, resizing)
    return None


def write(record: Path, head: NumPyHead, key: str) -> None:
    """Notes a classifier whose backbone is converted.

    Args:
        record: Where to.
        head: The head.
        key: As in `Runner`.

    Raises:
        StorageError: It cannot be written.
    """
    arrays = {f"kernel{i}": kernel for i, (kernel, _) in enumerate(head.layers)}
    arrays |= {f"bias{i}": bias for i, (_, bias) in enumerate(head.layers)}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, key=np.array(json.dumps(key)), **arrays)
    workspace.write_atomically(record, buffer.getvalue())
