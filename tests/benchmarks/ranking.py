"""Whether a ranking has the order of true fine-tuned accuracies, and what it takes.

`python -m tests.benchmarks.ranking`: EfficientNet-Lite0 and MobileNetV2 0.35 with
ImageNet weights, and the latter with random weights, on flower_photos (20 % val).
Ranked as whole commands with an empty cache; then each is fine-tuned once on the same
split: its last block for 5 epochs, everything else as by default.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import bench

#: Backbones and weights of each command.
COMMANDS = (
    ("efficientnet_lite0,mobilenet_v2_035", "imagenet"),
    ("mobilenet_v2_035", "random"),
)
_SETTINGS = ("--freeze", "last:1", "--fine-tune-epochs", "5")


def main() -> None:
    """Ranks, trains and tells."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(bench.environment(folder))
        bench.import_flowers(folder)
        rows: list[dict[str, Any]] = []
        commands = {}
        for backbones, weights in COMMANDS:
            start = time.perf_counter()
            words = ("--dataset", "flowers", "--backbones", backbones)
            ranked = bench.transfer(folder, "rank", *words, "--weights", weights)
            commands[f"{backbones}, {weights}"] = time.perf_counter() - start
            rows += [_row(folder, one) for one in ranked["candidates"]]
    # In the order of the ranking, so that one sees where the other is not.
    rows.sort(key=lambda row: -row["expected"])
    trained = [row["fine-tuned"] for row in rows]
    in_order = trained == sorted(trained, reverse=True)
    bench.tell("ranking", rows, seconds_of_commands=commands, in_order=in_order)
    for words, seconds in commands.items():
        print(f"{words}: ranked in {seconds:.1f} s as a whole command")
    print("The orders are the same." if in_order else "The orders differ.")


def _row(folder: Path, found: dict[str, Any]) -> dict[str, Any]:
    """What the ranking expects of a backbone, and what fine-tuning comes to."""
    words = ("--dataset", "flowers", "--backbone", found["backbone"])
    words += ("--weights", found["weights"])
    run = bench.transfer(folder, "train", *words, *_SETTINGS)
    row = {
        "backbone": f"{found['backbone']}, {found['weights']}",
        "expected": found["accuracy"],
        "low": found["low"],
        "high": found["high"],
        "LogME": found["log_me"],
        "ranked in s": found["seconds"],
        "fine-tuned": run["val_accuracy"],
        "trained in s": run["seconds"]["total"],
    }
    print(row, flush=True)
    return row


if __name__ == "__main__":
    main()
