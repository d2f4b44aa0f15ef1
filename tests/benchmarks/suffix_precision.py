"""A training step of the last 6 blocks of MobileNetV2: float32, and mixed bfloat16.

`python -m tests.benchmarks.suffix_precision`, random weights, batch 32, in turns.
"""

import time
from collections.abc import Callable

import keras
import numpy as np

from tests.benchmarks import bench
from transfer.backbones import graph
from transfer.backbones.freezing import FreezePlan

_STEPS = 20


def main() -> None:
    """Measures both in turns and tells."""
    steps = {policy: _step(policy) for policy in ("float32", "mixed_bfloat16")}
    times: dict[str, list[float]] = {policy: [] for policy in steps}
    # In turns, so that another load on the machine hits both.
    for _ in range(3):
        for policy, step in steps.items():
            start = time.perf_counter()
            for _ in range(_STEPS):
                step()
            times[policy].append((time.perf_counter() - start) / _STEPS * 1000)
    row = {f"{policy}, ms": min(each) for policy, each in times.items()}
    ratio = min(times["float32"]) / min(times["mixed_bfloat16"])
    bench.tell("suffix_precision", [{**row, "ratio": ratio}])


def _step(policy: str) -> Callable[[], object]:
    keras.config.set_dtype_policy(policy)
    backbone = graph.build("mobilenet_v2")
    structure = graph.structure(backbone, "mobilenet_v2")
    cut = FreezePlan.parse("last:6").resolve(structure).cut
    suffix = graph.suffix(backbone, cut.layer)
    pooled = keras.layers.GlobalAveragePooling2D()(suffix.output)
    logits = keras.layers.Dense(5, dtype="float32")(pooled)
    model = keras.Model(suffix.input, logits)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss)
    random = np.random.default_rng(0)
    features = random.normal(0, 1, (32, *cut.shape)).astype(np.float32)
    labels = random.integers(0, 5, 32)
    model.train_on_batch(features, labels)  # builds the graph
    return lambda: model.train_on_batch(features, labels)


if __name__ == "__main__":
    main()
