"""`evaluate` and `hand-in`: how well a run does on a split, and on the hidden set."""

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
    judge = command("hand-in", hand_in, "judge a run by the hidden test set")
    options.add_run(judge)
    judge.add_argument("--entry", type=int, required=True, help="of what was handed in")
    options.add_job(judge)


def hand_in(args: argparse.Namespace) -> dict[str, Any]:
    """The accuracy of a run that was handed in on the page Evaluate."""
    reporter = Reporter(args.job)
    with reporter.telling(), closing(Store()) as store:
        reporter.progress(doing="import")
        # OpenVINO takes a while to be imported, and Keras seconds, if it is needed.
        with quickly():
            from transfer.classroom import judging  # noqa: PLC0415

        def report(done: int, of: int) -> None:
            reporter.progress(done=done, of=of)
            tell_over(f"judged: {done} of {of} images")

        found = judging.judge(store, args.entry, report)
        # Nothing with the job: whoever may see the run may see it.
        reporter.finish({})
        return {"run": args.run, **found.to_json()}


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
