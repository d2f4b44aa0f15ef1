"""An epoch with the last 3 blocks of MobileNetV2 trainable: from pixels, and ours.

`python -m tests.benchmarks.fine_tune_epoch [--epochs 3]`. Both in one process after
the other, the same layers trainable, batch 32, random weights, on flower_photos; the
first epoch of each builds its graph and does not count.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks import bench

BLOCKS = 3
PLAIN = """
import json, sys, time
import keras
from transfer.backbones import graph
from transfer.backbones.freezing import FreezePlan
backbone = graph.build("mobilenet_v2")
plan = FreezePlan.parse(f"last:{sys.argv[3]}")
trains = plan.resolve(graph.structure(backbone, "mobilenet_v2")).trainable_layers
for layer in backbone.layers:
    layer.trainable = layer.name in trains
train, val = (
    keras.utils.image_dataset_from_directory(
        f"{sys.argv[1]}/{split}", image_size=(224, 224), batch_size=32, seed=0
    )
    for split in ("train", "val")
)
pixels = keras.Input((224, 224, 3))
pooled = keras.layers.GlobalAveragePooling2D()(backbone(pixels, training=False))
outputs = keras.layers.Dense(len(train.class_names), activation="softmax")(pooled)
model = keras.Model(pixels, outputs)
model.compile(
    optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)
times = [time.perf_counter()]
each = keras.callbacks.LambdaCallback(
    on_epoch_end=lambda *_: times.append(time.perf_counter())
)
epochs = int(sys.argv[2])
model.fit(train, validation_data=val, epochs=epochs, callbacks=[each], verbose=0)
print(json.dumps({"epochs": [b - a for a, b in zip(times, times[1:])]}))
"""


def ours(epochs: int) -> list[float]:
    """Seconds of each fine-tuning epoch on cached features, its val included."""
    from transfer.config import TrainConfig  # noqa: PLC0415
    from transfer.datasets import library  # noqa: PLC0415
    from transfer.training import train  # noqa: PLC0415  not before the reference has run
    from transfer.training.listener import Listener  # noqa: PLC0415

    times: list[float] = []

    class Clock(Listener):
        def epoch(self, phase: str, epoch: int, values: Mapping[str, float]) -> None:
            times.append(time.perf_counter())

    config = TrainConfig.of(
        dataset="flowers",
        backbone="mobilenet_v2",
        weights="random",
        freeze=f"last:{BLOCKS}",
        head_epochs=1,
        fine_tune_epochs=epochs,
    )
    train.train(config, library.load("flowers"), Clock())
    return [b - a for a, b in zip(times, times[1:], strict=False)]


def main() -> None:
    """Runs both and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3, help="2 at least")
    epochs = parser.parse_args().epochs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(bench.environment(folder))
        bench.import_flowers(folder)
        split = bench.split(folder)
        arguments = (sys.executable, "-c", PLAIN, str(split), str(epochs), str(BLOCKS))
        _, told = bench.run_timed(*arguments, folder=folder)
        # Without the first epoch of each, in which its graph is built.
        keras, cached = min(told["epochs"][1:]), min(ours(epochs)[1:])
        bench.tell(
            "fine_tune_epoch",
            [{"keras": keras, "ours": cached, "ratio": keras / cached}],
        )


if __name__ == "__main__":
    main()
