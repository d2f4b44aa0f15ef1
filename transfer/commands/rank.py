"""`python -m transfer rank`: which backbone suits a dataset."""

import argparse
from dataclasses import asdict
from typing import Any

from transfer.advice import candidates
from transfer.advice.candidates import Candidate, PassedOver
from transfer.backbones import catalogue
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
    one = command("rank", rank, "compare backbones on your images")
    one.add_argument("--dataset", required=True, help="name of the dataset")
    options.add_revision(one)
    one.add_argument(
        "--backbones", required=True, metavar="A,B,...", help="names of backbones"
    )
    options.add_weights(one)
    options.add_resizing(one)
    options.add_job(one)


def rank(args: argparse.Namespace) -> dict[str, Any]:
    """The candidates, best first."""
    reporter = Reporter(args.job)
    with reporter.telling():
        names = [name.strip() for name in args.backbones.split(",") if name.strip()]
        for name in names:
            catalogue.get(name)
        revision = library.load(args.dataset, args.revision)
        reporter.progress(candidate=0, candidates=len(names), step=0, steps=0)
        # Importing Keras takes seconds; wrong names are told before that.
        with quickly():
            from transfer.advice import rank_candidates  # noqa: PLC0415

        found: list[Candidate] = []
        passed_over: list[PassedOver] = []

        def report(**values: Any) -> None:
            number = len(found) + len(passed_over) + 1
            reporter.progress(candidate=number, **values)
            tell_over(
                f"{values['backbone']}: {values['step']} of {values['steps']} images"
            )

        kind = args.weights, report, args.resizing
        for one in rank_candidates.rank(revision, names, *kind):
            if isinstance(one, Candidate):
                found.append(one)
            else:
                passed_over.append(one)
            reporter.progress(
                found=[asdict(each) for each in found],
                passed_over=[each._asdict() for each in passed_over],
            )
        result = {
            "dataset": revision.dataset,
            "revision": revision.id,
            "resizing": args.resizing,
            "candidates": [asdict(one) for one in candidates.best_first(found)],
            "passed_over": [each._asdict() for each in passed_over],
        }
        reporter.finish(result)
        return result
