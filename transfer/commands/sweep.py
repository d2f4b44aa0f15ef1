"""`python -m transfer sweep`: how much of a backbone to freeze."""

import argparse
from dataclasses import asdict
from typing import Any

from transfer.advice import depths
from transfer.advice.depths import Depth
from transfer.backbones import catalogue, weights
from transfer.backbones.quick_import import quickly
from transfer.commands import options
from transfer.commands.options import Command
from transfer.commands.output import tell_over
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.runs.jobs import Reporter


def add_to(command: Command) -> None:
    """Adds the word to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    one = command("sweep", sweep, "try how much of a backbone to freeze")
    one.add_argument("--dataset", required=True, help="name of the dataset")
    options.add_revision(one)
    options.add_backbone(one)
    options.add_image_size(one)
    options.add_resizing(one)
    field = TrainConfig.model_fields["class_weights"]
    one.add_argument("--class-weights", default=field.default, help=field.description)
    options.add_weights(one)
    options.add_job(one)


def sweep(args: argparse.Namespace) -> dict[str, Any]:
    """Accuracy and time of each depth, from all frozen on."""
    reporter = Reporter(args.job)
    with reporter.telling():
        revision = library.load(args.dataset, args.revision)
        name = args.backbone or weights.default_backbone(revision.kind)
        catalogue.get(name)
        reporter.progress(phase="import", depth=0, depths=0)
        # Importing Keras takes seconds; wrong names are told before that.
        with quickly():
            from transfer.advice import try_depths as trainings  # noqa: PLC0415

        found: list[Depth] = []

        def report(**values: Any) -> None:
            reporter.progress(**values)
            tell_over(
                f"{values['phase']}: {values['depth']} of {values['depths']} depths"
            )

        settings = {"backbone": name, "weights": args.weights}
        others = "image_size", "resizing", "class_weights"
        settings |= {key: getattr(args, key) for key in others}
        for one in trainings.sweep(revision, settings, report):
            found.append(one)
            reporter.progress(found=[asdict(each) for each in found])
        result = {
            "dataset": revision.dataset,
            "revision": revision.id,
            "backbone": name,
            "advised": depths.advise(found).freeze,
            "depths": [asdict(one) for one in found],
        }
        reporter.finish(result)
        return result
