"""How far each block of a backbone has moved from where it started."""

import keras
import numpy as np

from transfer.backbones.structure import Structure

#: Above so many weights no copy of the start is kept: it would take 400 MB.
_MOST_WEIGHTS = 100_000_000


class BlockChanges:
    """Remembers the start.

    Args:
        backbone: Model whose layers are those of `structure`.
        structure: Its blocks.
    """

    def __init__(self, backbone: keras.Model, structure: Structure) -> None:
        self._blocks: dict[str, list[keras.Variable]] = {}
        for name, layers in structure.blocks.items():
            weights = [
                weight
                for layer in layers
                if any(layer.name == one.name for one in backbone.layers)
                for weight in backbone.get_layer(layer.name).weights
            ]
            if weights:
                self._blocks[name] = weights
        few = backbone.count_params() <= _MOST_WEIGHTS
        self._start = {
            name: [np.array(keras.ops.convert_to_numpy(one)) for one in weights]
            for name, weights in (self._blocks.items() if few else ())
        }

    def measure(self) -> dict[str, float]:
        """For each block by name the L2 norm of its change over that of its start.

        Exactly 0 where not one weight has changed; empty for a very large backbone.
        """
        changes = {}
        for name, start in self._start.items():
            now = [keras.ops.convert_to_numpy(one) for one in self._blocks[name]]
            # In float64: a million small squares would be lost in a sum of float32.
            moved = sum(
                float(np.sum(np.square(a - b, dtype=np.float64)))
                for a, b in zip(now, start, strict=True)
            )
            size = sum(float(np.sum(np.square(b, dtype=np.float64))) for b in start)
            changes[name] = float(np.sqrt(moved / size)) if moved else 0.0
        return changes
