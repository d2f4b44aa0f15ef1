"""`neighbours`: has a run look at its training images, to tell the nearest ones."""

import argparse
from typing import Any

from transfer.backbones.quick_import import quickly
from transfer.commands import options
from transfer.commands.options import Command
from transfer.commands.output import tell_over
from transfer.runs.jobs import Reporter
from transfer.store.runs import Store


def add_to(command: Command) -> None:
    """Adds the word to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    about = "look at a run's training images, to tell which a picture is like"
    one = command("neighbours", neighbours, about)
    options.add_run(one)
    options.add_job(one)


def neighbours(args: argparse.Namespace) -> dict[str, Any]:
    """How many images it has looked at; what it saw is kept with the run."""
    reporter = Reporter(args.job)
    with reporter.telling():
        store = Store()
        run = store.get(args.run)
        store.close()
        reporter.progress(doing="import")
        # OpenVINO takes a while to be imported, and Keras seconds, if it is needed.
        with quickly():
            from transfer.prediction import models  # noqa: PLC0415
            from transfer.prediction import neighbours as training_images  # noqa: PLC0415

        def report(done: int, of: int) -> None:
            reporter.progress(doing="look", done=done, of=of)
            tell_over(f"{done} of {of} images")

        runner = models.load(run.id).runner
        found = training_images.look(run, runner, report)
        result = {"run": run.id, "images": len(found.images)}
        reporter.finish(result)
        return result
