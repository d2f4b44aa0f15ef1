"""The program of a run, run alone, against the run: val accuracy on flower_photos.

    python -m tests.benchmarks.script_alone [--only TEXT]

Each run is trained by the app and written as a program, which then trains from the
folder of photographs in a folder of its own, where our package cannot be imported.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import bench

SMALL = ("--backbone", "mobilenet_v2_035")
RUNS: dict[str, tuple[str, ...]] = {
    "MobileNetV2 0.35, head only": SMALL,
    "MobileNetV2 0.35, last 6 blocks": (*SMALL, "--freeze", "last:6"),
    "EfficientNet-Lite0, head only": (),
}


def alone(folder: Path, program: Path, photos: Path) -> tuple[float, float]:
    """Val accuracy that the program prints at its end, and its seconds."""
    # Neither PYTHONPATH nor the folder of the project: nothing of ours can help.
    clean = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-I", str(program), str(photos)],
        cwd=program.parent,
        env={**clean, "KERAS_HOME": str(bench.keras_home(folder))},
        capture_output=True,
        text=True,
    )
    found = re.findall(r"^val accuracy (.+)$", done.stdout, re.MULTILINE)
    if done.returncode or not found:
        sys.exit(f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return float(found[-1]), time.perf_counter() - start


def row(folder: Path, what: str, options: tuple[str, ...]) -> dict[str, Any]:
    """The accuracy of the run, that of its program, and how far they are apart."""
    run = bench.transfer(folder, "train", "--dataset", "flowers", *options)
    room = folder / "alone"
    room.mkdir()
    program = room / "train.py"
    bench.transfer(folder, "script", run["run"], "--output", str(program))
    accuracy, seconds = alone(folder, program, folder / "photos")
    shutil.rmtree(room)
    return {
        "run": what,
        "val accuracy": run["val_accuracy"],
        "of its program": accuracy,
        "points apart": 100 * (accuracy - run["val_accuracy"]),
        "seconds of the program": seconds,
    }


def main() -> None:
    """Prints the table and writes `.benchmarks/script_alone.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(bench.environment(folder))
        bench.import_flowers(folder)
        chosen = {what: one for what, one in RUNS.items() if args.only in what}
        rows = [row(folder, what, options) for what, options in chosen.items()]
    bench.tell("script_alone", rows)


if __name__ == "__main__":
    main()
