"""`enough`: what twice as many images would bring."""

import argparse
from typing import Any

from transfer.advice import enough as advice
from transfer.backbones import catalogue
from transfer.backbones import weights as weights_at_hand
from transfer.backbones.quick_import import quickly
from transfer.commands import options
from transfer.commands.options import Command
from transfer.commands.output import tell_over
from transfer.datasets import library
from transfer.runs.jobs import Reporter


def add_to(command: Command) -> None:
    """Adds the word to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    about = "tell what twice as many images would bring, and to which classes"
    one = command("enough", enough, about)
    one.add_argument("name", metavar="NAME", help="the dataset")
    options.add_backbone(one)
    options.add_weights(one)
    options.add_resizing(one)
    options.add_revision(one)
    options.add_job(one)


def enough(args: argparse.Namespace) -> dict[str, Any]:
    """The learning curve; it is kept with the revision too."""
    reporter = Reporter(args.job)
    with reporter.telling():
        revision = library.load(args.name, args.revision)
        backbone = args.backbone or weights_at_hand.default_backbone(revision.kind)
        catalogue.get(backbone)
        reporter.progress(doing="import", done=0, of=0)
        # Importing Keras takes seconds; a wrong name is told before that.
        with quickly():
            from transfer.advice import measure_growth  # noqa: PLC0415

        def tell(doing: str, done: int, of: int) -> None:
            reporter.progress(doing=doing, done=done, of=of)
            tell_over(f"{doing}: {done:,} of {of:,}")

        found = measure_growth.measure(
            revision, backbone, args.weights, tell, args.resizing
        )
        advice.keep(revision, found)
        reporter.finish({"dataset": revision.dataset})
        about = {"dataset": revision.dataset, "revision": revision.id}
        return {**about, "backbone": backbone, **advice.to_json(found, revision.kind)}
