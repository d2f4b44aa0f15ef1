"""What tests of features share: an extractor, and what it has to give."""

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from transfer import workspace
from transfer.backbones import graph
from transfer.datasets import decoding, library
from transfer.features.extract import Extractor
from transfer.features.rows import Features

CUT = "cut"


def extractor_of(model: keras.Model, *names: str) -> Extractor:
    return Extractor(model, names or ("pooling",), "net", lambda _: None)


def expected_of(
    model: keras.Model, hashes: list[str], layer: str = "pooling"
) -> NDArray[np.float32]:
    pixels = [decoding.decode(library.image_path(h), (32, 32)) for h in hashes]
    prefix = graph.prefix(model, layer)
    return np.asarray(prefix(np.stack(pixels).astype(np.float32), training=False))


def count_computed(extractor: Extractor, features: Features) -> int:
    """How many views had to be computed."""
    counts = [0]
    wanted = {features.layer: features.kept_views}
    extractor.compute(wanted, lambda done, _: counts.append(done))
    return counts[-1]


def segments() -> list[Path]:
    return [*workspace.folder("features").rglob("*.features")]
