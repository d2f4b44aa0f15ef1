"""`backbones` and `measure`: what there is to fine-tune, and how fast it runs here."""

import argparse
from typing import Any

from transfer.backbones import catalogue, weights
from transfer.backbones.quick_import import quickly
from transfer.commands import options
from transfer.commands.options import Command
from transfer.commands.output import tell
from transfer.runs.jobs import Reporter


def add_to(command: Command) -> None:
    """Adds the words to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    command("backbones", backbones, "list the backbones")
    about = "how many images a second a backbone does on this machine"
    one = command("measure", measure, about)
    one.add_argument("backbone", metavar="BACKBONE", help="its name")
    options.add_image_size(one)
    options.add_job(one)


def backbones(_: argparse.Namespace) -> dict[str, Any]:
    """The catalogue."""
    return {
        "backbones": [
            {
                "backbone": name,
                "parameters": one.parameters,
                "image_size": one.native_size,
                "imagenet_top_1": one.imagenet_top_1,
                "weights_at_hand": weights.is_at_hand(one),
                "licence": one.licence,
            }
            for name, one in catalogue.BACKBONES.items()
        ]
    }


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Images per second of each engine; kept for what is said of runs beforehand."""
    reporter = Reporter(args.job)
    with reporter.telling():
        name, size = catalogue.get(args.backbone).name, args.image_size
        reporter.progress(doing="import")
        # Importing Keras takes seconds; a wrong name is told before that.
        with quickly():
            from transfer.classifier import model  # noqa: PLC0415
            from transfer.features import engines  # noqa: PLC0415

        reporter.progress(doing="measure")
        image_size = (size, size) if size else None
        pooled = model.pooled_backbone(name, image_size=image_size)
        height, width = pooled.input_shape[1:3]
        rates = engines.measure(pooled, name, f"{name}-random-{height}x{width}", tell)
        result = {
            "backbone": name,
            "image_size": [height, width],
            "images_per_second": rates,
        }
        reporter.finish(result)
        return result
