"""A head as NumPy computes it: matrices on pooled features; Keras is not needed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class NumPyHead(NamedTuple):
    """Dense layers, one after the other, with ReLU between them.

    Attributes:
        layers: Kernel `(inputs, outputs)` and bias `(outputs,)` of each, float32; the
            last one gives the logits.
    """

    layers: tuple[tuple[Floats, Floats], ...]

    @property
    def channels(self) -> int:
        """Number of pooled features that it takes."""
        return len(self.layers[0][0])

    def probabilities(self, features: Floats) -> Floats:
        """What follows of pooled features `(images, channels)`; rows sum to 1."""
        logits = self._outputs(features)[-1].astype(np.float64)
        # In float64, and from the largest on, so that no exponential overflows.
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        return np.asarray(powers / powers.sum(-1, keepdims=True), np.float32)

    def gradient(self, features: Floats, label: int) -> Floats:
        """How the logit of a class changes with each feature of one image.

        Args:
            features: `(channels,)`.
            label: Index of the class.

        Returns:
            `(channels,)`, float32.
        """
        outputs = self._outputs(features[np.newaxis])
        found: Floats = self.layers[-1][0][:, label]
        for (kernel, _), output in zip(
            reversed(self.layers[:-1]), reversed(outputs[:-1]), strict=True
        ):
            found = kernel @ np.where(output[0] > 0, found, 0)
        return found

    def _outputs(self, features: Floats) -> list[Floats]:
        """The output of each layer."""
        outputs = [features]
        for kernel, bias in self.layers:
            taken = outputs[-1] if len(outputs) == 1 else np.maximum(outputs[-1], 0)
            outputs.append(taken @ kernel + bias)
        return outputs[1:]
