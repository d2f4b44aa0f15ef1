"""How many fresh processes hang whose first inference is made in threads at once.

`python -m tests.benchmarks.first_inference [--processes 200] [--at-once 4]
[--unprotected]`: first OpenVINO alone, in two threads; then the app's own engine, whose
pool of threads computes a batch, with a conversion that is kept, as in a second run.
Several at once load the cores. `--unprotected` leaves out what keeps them from hanging.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.benchmarks import bench

#: A process that has not ended after so many seconds hangs. On loaded cores the import
#: of TensorFlow alone takes a minute.
_PATIENCE = 240

_UNPROTECTED = """
from transfer.features import first_call
first_call._make = lambda: None
"""

_ALONE = """
import threading
import numpy as np, openvino
from openvino import opset13
from transfer.features import first_call

number = opset13.parameter([4], np.float32)
model = openvino.Model([opset13.relu(number)], [number], "own")
compiled = openvino.Core().compile_model(model, "CPU")
requests = [compiled.create_infer_request() for _ in range(2)]
first_call.make()
both = threading.Barrier(2)

def infer(request):
    both.wait()
    request.infer(np.zeros(4, np.float32), share_inputs=True)
    np.array(request.get_output_tensor(0).data)

threads = [threading.Thread(target=infer, args=[one]) for one in requests]
for one in threads:
    one.start()
for one in threads:
    one.join()
"""

_ENGINE = """
import keras, numpy as np
from transfer.features.converted import BATCH
from transfer.features.engines import OpenVINOEngine

pixels = keras.Input((16, 16, 3))
prefix = keras.Model(pixels, keras.layers.Conv2D(4, 3)(pixels))
OpenVINOEngine(prefix, "kept").run(np.zeros((BATCH, 16, 16, 3), np.uint8))
"""


def main() -> None:
    """Starts the processes and tells how many hung."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--unprotected", action="store_true")
    args = parser.parse_args()
    before = _UNPROTECTED if args.unprotected else ""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        if not _ends(_ENGINE, Path(folder)):  # converts, and keeps what came of it
            sys.exit("The conversion hung.")
        for what, code in (("OpenVINO alone", _ALONE), ("our engine", _ENGINE)):
            # On idle cores the two threads hardly ever meet.
            with ThreadPoolExecutor(args.at_once) as pool:
                tries = [before + code] * args.processes
                ended = list(pool.map(_ends, tries, [Path(folder)] * args.processes))
            hung = ended.count(False)
            rows.append({"first inference": what, "tries": len(ended), "hung": hung})
    bench.tell("first inference", rows, unprotected=args.unprotected)


def _ends(code: str, home: Path) -> bool:
    command: Sequence[str] = [sys.executable, "-c", code]
    environment = {
        **os.environ,
        "TRANSFER_HOME": str(home),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    try:
        subprocess.run(
            command,
            check=True,
            cwd=bench.ROOT,
            env=environment,
            capture_output=True,
            timeout=_PATIENCE,
        )
    # Killed by now. A process that fails is no hang, and ends the benchmark.
    except subprocess.TimeoutExpired:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
