"""Whether fine-tuning pays: the head alone against the defaults with unfrozen blocks.

`python -m tests.benchmarks.fine_tuning [--backbones NAMES] [--sets NAMES] [--seeds 3]
[--settings JSON]`, on eight sets, from ImageNet weights and from random ones, with the
last stage of the backbone unfrozen. Val chooses, so it flatters: beside it stands a
test part that no run has seen. Each result is a line of
`.benchmarks/fine_tuning.jsonl`; what is there is not measured again, so that it can be
stopped and goes on.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterable
from typing import Any

from tests.benchmarks import bench, picture_sets

FOLDER = bench.ROOT / ".benchmarks" / "fine_tuning"
LINES = FOLDER.with_suffix(".jsonl")
BACKBONES = ("efficientnet_lite0", "mobilenet_v2_035", "random")
#: What is compared; the second one unfreezes the last stage.
WAYS = ("head only", "unfrozen")


def main() -> None:
    """Measures what is not measured yet, and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbones", default=",".join(BACKBONES))
    parser.add_argument("--sets", default=",".join(picture_sets.SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--settings", default="{}", help="in place of the defaults")
    args = parser.parse_args()
    os.environ.update(bench.environment(FOLDER))
    done = read()
    for seed in range(args.seeds):
        for backbone in args.backbones.split(","):
            for name in args.sets.split(","):
                key = {"backbone": backbone, "set": name, "seed": seed}
                key["settings"] = json.loads(args.settings)
                if not any(key.items() <= one.items() for one in done):
                    done += measure(key)
    wanted = [one for one in done if one["settings"] == json.loads(args.settings)]
    bench.tell("fine_tuning", list(rows(wanted)))


def read() -> list[dict[str, Any]]:
    """What is measured already."""
    if not LINES.exists():
        return []
    return [json.loads(line) for line in LINES.read_text().splitlines()]


def measure(key: dict[str, Any]) -> list[dict[str, Any]]:
    """Both ways on one split, each a line."""
    measured = []
    for way in WAYS:
        measured.append({**key, "way": way, **one(key, way)})
        print(measured[-1], flush=True)
    with LINES.open("a") as file:  # both or none
        file.writelines(json.dumps(line) + "\n" for line in measured)
    return measured


def one(key: dict[str, Any], way: str) -> dict[str, Any]:
    """What one training came to on val and test, and its seconds."""
    from transfer.config import TrainConfig  # noqa: PLC0415  reads the environment
    from transfer.datasets import library  # noqa: PLC0415
    from transfer.training import train  # noqa: PLC0415
    from transfer.training.listener import Listener  # noqa: PLC0415

    is_random = key["backbone"] == "random"
    config = TrainConfig.of(
        dataset=dataset(key["set"], key["seed"]),
        backbone="mobilenet_v2_035" if is_random else key["backbone"],
        weights="random" if is_random else "imagenet",
        freeze="all" if way == "head only" else last_stage(key["backbone"]),
        seed=key["seed"],
        **key["settings"],
    )
    revision = library.load(config.dataset)
    start = time.perf_counter()
    trained = train.train(config, revision, Listener())
    seconds = time.perf_counter() - start
    best = trained.best
    return {
        "val": best.accuracy,
        "val loss": best.loss,
        "test": picture_sets.accuracy(trained.model, revision.of_split("test")),
        "kept": f"{best.phase} {best.epoch}",
        # The first pays for the features of both.
        "training": trained.seconds["head"] + trained.seconds["fine_tune"],
        "whole": seconds,
    }


def dataset(name: str, seed: int) -> str:
    """The dataset of this set, with its val drawn by this seed."""
    from transfer.datasets import library  # noqa: PLC0415
    from transfer.datasets.ingest import importer  # noqa: PLC0415

    named = f"{name}-{seed}".replace(" ", "-")
    if named not in {one.dataset for one in library.list_datasets()}:
        folder = FOLDER / "sets" / name
        if not folder.exists():
            picture_sets.write(name, folder)
        importer.import_path(folder, named, seed=seed)
    return named


def last_stage(backbone: str) -> str:
    """The freeze plan of the last stage, as the button in the app has it."""
    return {"efficientnet_lite0": "last:6"}.get(backbone, "last:5")


def rows(measured: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Mean and range over the seeds, by backbone and set."""
    for backbone in dict.fromkeys(one["backbone"] for one in measured):
        of_backbone = [one for one in measured if one["backbone"] == backbone]
        for name in dict.fromkeys(one["set"] for one in of_backbone):
            both = [one for one in of_backbone if one["set"] == name]
            yield {"backbone": backbone, "set": name, **summary(both)}
        yield {"backbone": backbone, "set": "mean", **gains(of_backbone)}


def summary(measured: list[dict[str, Any]]) -> dict[str, Any]:
    """Of one backbone on one set: each way, and what unfreezing gains in points."""
    row: dict[str, Any] = {}
    for way in WAYS:
        lines = [one for one in measured if one["way"] == way]
        for split in ("val", "test"):
            values = [one[split] for one in lines]
            low, high = min(values), max(values)
            mean = statistics.mean(values)
            row[f"{way}, {split}"] = f"{mean:.3f} ({low:.3f}-{high:.3f})"
        row[f"{way}, s"] = statistics.mean(one["training"] for one in lines)
    return row | gains(measured)


def gains(measured: list[dict[str, Any]]) -> dict[str, float]:
    """Points that unfreezing gains, in the mean."""
    sign = {"head only": -1, "unfrozen": 1}
    pairs = len(measured) / 2
    return {
        f"gain, {split}": 100 * sum(sign[o["way"]] * o[split] for o in measured) / pairs
        for split in ("val", "test")
    }


if __name__ == "__main__":
    sys.exit(main())
