"""Runs the model with OpenVINO."""

from pathlib import Path
from typing import Any

import numpy as np
import openvino


class Runner:
    """The model of an `.xml` file; its weights lie beside it in a `.bin` file."""

    def __init__(self, path: Path) -> None:
        # Without the hint some processors compute in bfloat16, which answers otherwise.
        self._model = openvino.Core().compile_model(
            str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
        )

    def run(self, pixels: Any) -> Any:
        """Probabilities `(batch, classes)` of pixels `(batch, height, width, 3)`."""
        return np.array(self._model(pixels)[0])
