"""Runs the model with Keras."""

from pathlib import Path
from typing import Any

import keras
import numpy as np


class Runner:
    """The model of a `.keras` file."""

    def __init__(self, path: Path) -> None:
        self._model = keras.models.load_model(path, compile=False)

    def run(self, pixels: Any) -> Any:
        """Probabilities `(batch, classes)` of pixels `(batch, height, width, 3)`."""
        return np.asarray(self._model.predict_on_batch(pixels))
