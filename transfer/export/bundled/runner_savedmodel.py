"""Runs the model with TensorFlow."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf


class Runner:
    """The model of a SavedModel folder."""

    def __init__(self, path: Path) -> None:
        self._model = tf.saved_model.load(str(path))

    def run(self, pixels: Any) -> Any:
        """Probabilities `(batch, classes)` of pixels `(batch, height, width, 3)`."""
        return np.asarray(self._model.serve(tf.constant(pixels)))
