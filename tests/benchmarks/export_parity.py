"""Exported files against the app: every format, then every family of backbones.

`python -m tests.benchmarks.export_parity [--images 500] [--families]`. A run on
flower_photos with MobileNetV2 0.35 is exported in every format and quantisation, and
each bundle's own predict.py is compared with the app on val images. With `--families`
the smallest backbone of every family, with random weights at 96 px, follows on 60
images.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks import bench
from transfer.backbones.catalogue import BACKBONES, Backbone
from transfer.datasets import library
from transfer.errors import RunError
from transfer.export import choices

#: Height and width in pixels of the families' models, and images they are tried on.
FAMILY_SIZE, FAMILY_IMAGES = 96, 60


def smallest_of_each_family() -> list[Backbone]:
    """One backbone per family."""
    ordered = sorted(BACKBONES.values(), key=lambda one: one.parameters)
    return list({one.family: one for one in reversed(ordered)}.values())


def trained(folder: Path, *options: str) -> str:
    """The id of a finished run on the dataset `flowers`."""
    command = ("train", "--dataset", "flowers", "--method", "instant", *options)
    return str(bench.transfer(folder, *command)["run"])


def compared(
    folder: Path, run: str, images: int, formats: Sequence[choices.Format], title: str
) -> list[dict[str, Any]]:
    """A row for each format and quantisation."""
    from transfer import prediction  # noqa: PLC0415  after TRANSFER_HOME is set
    from transfer.export import parity  # noqa: PLC0415

    val = sorted(library.load("flowers").of_split("val"), key=lambda one: one.sha256)
    paths = [library.image_path(one.sha256) for one in val[:images]]
    own = prediction.load(run).probabilities(list(paths))
    rows = []
    for chosen in formats:
        for quantize in chosen.quantizations:
            row: dict[str, Any] = {"model": title, "format": chosen.name}
            row["numbers"] = "float32" if quantize == "none" else quantize
            output = folder / "exports" / f"{run}-{chosen.name}-{quantize}"
            options = ("--format", chosen.name, "--quantize", quantize)
            try:
                bench.transfer(folder, "export", run, *options, "--output", str(output))
                found = parity.certify(
                    output, paths, own, quantize=quantize, split="val"
                )
            except (RunError, SystemExit) as error:
                rows.append(row | {"failed": str(error).strip()[-200:]})
                continue
            rows.append(
                row
                | {
                    "images": found.images,
                    "largest_difference": found.largest_difference,
                    "agreement": found.agreement,
                    "agrees": found.agrees,
                    "MB": found.bytes / 1e6,
                    "ms_per_image": found.milliseconds_per_image,
                }
            )
    return rows


def main() -> None:
    """Exports, compares and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--families", action="store_true")
    args = parser.parse_args()
    every = list(choices.FORMATS.values())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(bench.environment(folder))
        bench.imported(folder)
        run = trained(folder, "--backbone", "mobilenet_v2_035")
        rows = compared(folder, run, args.images, every, "mobilenet_v2_035")
        bench.tell("export_parity", rows)
        for backbone in smallest_of_each_family() if args.families else []:
            options = ("--weights", "random", "--image-size", str(FAMILY_SIZE))
            run = trained(folder, "--backbone", backbone.name, *options)
            rows += compared(folder, run, FAMILY_IMAGES, every, backbone.name)
            bench.tell("export_parity", rows)


if __name__ == "__main__":
    main()
