"""Runs the model with ONNX Runtime."""

from pathlib import Path
from typing import Any

import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]


class Runner:
    """The model of an `.onnx` file."""

    def __init__(self, path: Path) -> None:
        self._model = onnxruntime.InferenceSession(
            str(path), providers=["CPUExecutionProvider"]
        )

    def run(self, pixels: Any) -> Any:
        """Probabilities `(batch, classes)` of pixels `(batch, height, width, 3)`."""
        return self._model.run(["probabilities"], {"image": pixels})[0]
