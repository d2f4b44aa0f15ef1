"""A sweep over six freeze depths, against one epoch of full training from pixels.

`python -m tests.benchmarks.depth_sweep`. MobileNetV2 0.35 with ImageNet weights on
flower_photos. The sweep is a whole process with an empty cache; the epoch is plain
Keras with every layer trainable, batch 32, without its start and without the graph,
which an earlier step has built. Processor seconds stand beside, for a busy machine.
"""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import bench

PLAIN = """
import json, sys, time
import keras
base = keras.applications.MobileNetV2(
    input_shape=(224, 224, 3), alpha=0.35, include_top=False, weights="imagenet",
    pooling="avg",
)
train = keras.utils.image_dataset_from_directory(
    f"{sys.argv[1]}/train", image_size=(224, 224), batch_size=32, seed=0
)
pixels = keras.Input((224, 224, 3))
scaled = keras.layers.Rescaling(1 / 127.5, -1)(pixels)
outputs = keras.layers.Dense(len(train.class_names), activation="softmax")(base(scaled))
model = keras.Model(pixels, outputs)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
model.fit(train.take(2), verbose=0)
start, used = time.perf_counter(), time.process_time()
model.fit(train, epochs=1, verbose=0)
seconds, used = time.perf_counter() - start, time.process_time() - used
print(json.dumps({"seconds": seconds, "processor": used}))
"""


def main() -> None:
    """Runs both and tells."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(bench.environment(folder))
        bench.import_flowers(folder)
        split = bench.split(folder)
        # Processor seconds of the whole process, what it starts included.
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        words = ("--dataset", "flowers", "--backbone", "mobilenet_v2_035")
        swept = bench.transfer(folder, "sweep", *words)
        seconds = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        plain = (sys.executable, "-c", PLAIN, str(split))
        _, epoch = bench.run_timed(*plain, folder=folder)
        rows = [
            {"what": "sweep over the depths", "seconds": seconds, "processor": used},
            {"what": "one full epoch from pixels", **epoch},
        ]
        bench.tell("depth_sweep", rows, depths=swept["depths"])
        for depth in swept["depths"]:
            accuracy = f"{depth['accuracy']:.3f}"
            print(
                f"{depth['freeze']:8}{accuracy}  {depth['epoch_seconds']:.2f} s/epoch"
            )


if __name__ == "__main__":
    main()
