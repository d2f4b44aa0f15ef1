"""Runs the model with LiteRT."""

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-not-found,import-untyped,unused-ignore]


class Runner:
    """The model of a `.tflite` file."""

    def __init__(self, path: Path) -> None:
        self._model = Interpreter(model_path=str(path))
        self._input = self._model.get_input_details()[0]["index"]
        self._output = self._model.get_output_details()[0]["index"]
        self._shape: tuple[int, ...] = ()

    def run(self, pixels: Any) -> Any:
        """Probabilities `(batch, classes)` of pixels `(batch, height, width, 3)`."""
        if pixels.shape != self._shape:
            self._model.resize_tensor_input(self._input, pixels.shape)
            self._model.allocate_tensors()
            self._shape = pixels.shape
        self._model.set_tensor(self._input, pixels)
        self._model.invoke()
        return np.array(self._model.get_tensor(self._output))
