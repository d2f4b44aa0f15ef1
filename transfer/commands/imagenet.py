"""`imagenet`: what the source model calls the images of a dataset, untrained."""

import argparse
from typing import Any

from transfer.backbones import catalogue
from transfer.backbones.quick_import import quickly
from transfer.commands import options
from transfer.commands.options import Command
from transfer.commands.output import tell, tell_over
from transfer.datasets import library
from transfer.errors import ConfigError
from transfer.runs.jobs import Reporter


def add_to(command: Command) -> None:
    """Adds the word to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    about = "what ImageNet's 1,000 classes say of your images, before any training"
    one = command("imagenet", imagenet, about)
    one.add_argument("--dataset", required=True, help="name of the dataset")
    options.add_revision(one)
    one.add_argument(
        "--backbone", default=catalogue.DEFAULT, help="whose source model is asked"
    )
    options.add_job(one)


def imagenet(args: argparse.Namespace) -> dict[str, Any]:
    """Of each class, the names that its images get; kept for the page Data."""
    reporter = Reporter(args.job)
    with reporter.telling():
        backbone = catalogue.get(args.backbone).name
        revision = library.load(args.dataset, args.revision)
        if revision.kind == "sounds":
            raise ConfigError(
                f'The dataset "{revision.title}" has sounds, and ImageNet has no '
                "names for those."
            )
        reporter.progress(doing="import")
        # Importing Keras takes seconds; a wrong name is told before that.
        with quickly():
            from transfer.advice import ask_imagenet  # noqa: PLC0415

        def report(done: int, of: int) -> None:
            reporter.progress(doing="ask", done=done, of=of)
            tell_over(f"{done} of {of} images")

        said = ask_imagenet.ask(revision, backbone, tell, report)
        result = {"dataset": revision.dataset, "revision": revision.id}
        reporter.finish(result)
        return {**result, **said.to_json()}
