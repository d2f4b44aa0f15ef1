"""Temperature scaling on flower_photos: the calibration error on images held out.

    python -m tests.benchmarks.calibration [--seeds 3] [--only TEXT]

20 % val, on which the temperature is fitted as the app does it, and 20 % test, on which
it is judged; another split for each seed. The error is the expected calibration error,
the loss the mean negative logarithm of the right class's probability.
"""

import argparse
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks import bench
from transfer.evaluation import curves
from transfer.evaluation.results import Evaluation

_SMALL = {"backbone": "mobilenet_v2_035"}
_DENSE = {"head": "dense1024"}
ROWS: dict[str, dict[str, Any]] = {
    "MobileNetV2 0.35, instant": {**_SMALL, "method": "instant"},
    "MobileNetV2 0.35, head only": _SMALL,
    "MobileNetV2 0.35, Dense 1024": {**_SMALL, **_DENSE},
    "MobileNetV2 0.35, last 6 blocks": {**_SMALL, "freeze": "last:6"},
    "EfficientNet-Lite0, instant": {"method": "instant"},
    "EfficientNet-Lite0, Dense 1024": _DENSE,
    "EfficientNet-Lite0, Dense 1024, 30 epochs": {**_DENSE, "head_epochs": 30},
}


def evaluate(settings: dict[str, Any], seed: int) -> tuple[Evaluation, Evaluation]:
    """What a run of these settings says of val and of test."""
    from transfer.config import TrainConfig  # noqa: PLC0415
    from transfer.datasets import library  # noqa: PLC0415
    from transfer.evaluation.evaluator import Evaluator  # noqa: PLC0415
    from transfer.store.record import Run  # noqa: PLC0415
    from transfer.store.status import JobStatus  # noqa: PLC0415
    from transfer.training import train  # noqa: PLC0415  reads the environment first
    from transfer.training.listener import Listener  # noqa: PLC0415

    config = TrainConfig.of(dataset=f"flowers-{seed}", seed=seed, **settings)
    revision = library.load(config.dataset)
    trained = train.train(config, revision, Listener())
    run = Run(
        id="00000000",
        name="",
        status=JobStatus.COMPLETED,
        config=config,
        dataset=config.dataset,
        revision=revision.id,
        created_at=0.0,
    )
    evaluator = Evaluator(run, trained.model, print)
    val, test = evaluator.evaluate("val"), evaluator.evaluate("test")
    # Never fitted on test, which is there to judge it.
    return val, replace(test, temperature=val.temperature)


def loss(probabilities: Any, labels: Any) -> float:
    """Mean negative logarithm of the right class's probability, in nats."""
    right = np.take_along_axis(probabilities, labels[:, None], axis=1)
    return -float(np.mean(np.log(right)))


def row(what: str, tests: list[Evaluation]) -> dict[str, Any]:
    """Means over the seeds of what is measured on test."""
    ways = {"before": [one.probabilities for one in tests]}
    ways["after"] = [one.shown for one in tests]
    found: dict[str, Any] = {
        "run": what,
        "temperatures": " ".join(f"{one.temperature:.2f}" for one in tests),
    }
    labels = [one.labels for one in tests]
    for way, told in ways.items():
        errors = [
            curves.reliability(p, right).error
            for p, right in zip(told, labels, strict=True)
        ]
        losses = [loss(p, right) for p, right in zip(told, labels, strict=True)]
        found |= {
            f"error {way}": float(np.mean(errors)),
            f"errors {way}": " ".join(f"{one:.3f}" for one in errors),
            f"loss {way}": float(np.mean(losses)),
        }
    print(found, flush=True)
    return found


def main() -> None:
    """Prints the table and writes `.benchmarks/calibration.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(bench.environment(folder))
        photos = bench.flowers(folder / "photos")
        for seed in range(args.seeds):
            words = ("--name", f"flowers-{seed}", "--seed", str(seed), "--test", "0.2")
            bench.transfer(folder, "import", str(photos), *words)
        rows = [
            row(what, [evaluate(settings, seed)[1] for seed in range(args.seeds)])
            for what, settings in ROWS.items()
            if args.only in what
        ]
    bench.tell("calibration", rows)


if __name__ == "__main__":
    main()
