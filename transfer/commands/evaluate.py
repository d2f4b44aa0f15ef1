"""`python -m transfer evaluate`: how well a run does on a split."""

import argparse
from contextlib import closing
from typing import Any

from transfer.backbones.quick_import import quickly
from transfer.commands import options
from transfer.commands.options import Command
from transfer.commands.output import tell_over
from transfer.evaluation import results
from transfer.runs.jobs import Reporter
from transfer.store.runs import Store


def add_to(command: Command) -> None:
    """Adds the word to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    one = command("evaluate", evaluate, "evaluate a finished run on a split")
    options.add_run(one)
    one.add_argument(
        "--split",
        choices=("val", "test", "train"),
        default="val",
        help="which images; val unless said otherwise",
    )
    one.add_argument(
        "--thorough",
        action="store_true",
        help="try spoilt pictures however long it takes",
    )
    options.add_job(one)


def evaluate(args: argparse.Namespace) -> dict[str, Any]:
    """All figures with their intervals; computed if they are not stored yet."""
    reporter = Reporter(args.job)
    with reporter.telling(), closing(Store()) as store:
        run = store.get(args.run)
        found = results.load(run.id, args.split)
        complete = found and results.load(run.id, "all")
        if found is None or not complete or found.lacks_robustness(args.thorough):
            reporter.progress(doing="import")
            # Importing Keras takes seconds; a wrong name is told before that.
            with quickly():
                from transfer.evaluation import evaluator  # noqa: PLC0415
                from transfer.prediction import models  # noqa: PLC0415

            def report(doing: str, done: int, of: int) -> None:
                reporter.progress(doing=doing, done=done, of=of)
                tell_over(f"{doing}: {done} of {of} images")

            model = models.load_keras(run)
            found = evaluator.evaluate(
                run, model, args.split, tell_over, report, args.thorough
            )
            if args.split == "val":
                store.amend(run.id, temperature=found.temperature)
        reporter.finish({})
        return found.summary()
