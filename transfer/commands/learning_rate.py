"""`python -m transfer learning-rate`: which learning rates to take."""

import argparse
from dataclasses import asdict
from typing import Any

from transfer.advice import rates
from transfer.advice.rates import Curve
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
    one = command("learning-rate", find, "find the learning rates to train with")
    options.add_settings(one, without=rates.PASSED_OVER)
    options.add_revision(one)
    options.add_job(one)


def find(args: argparse.Namespace) -> dict[str, Any]:
    """The curve of each phase, and the rate to take."""
    reporter = Reporter(args.job)
    with reporter.telling():
        config = rates.relevant(options.settings(args))
        revision = library.load(config.dataset, config.revision)
        reporter.progress(phase="import")
        # Importing Keras takes seconds; wrong names are told before that.
        with quickly():
            from transfer.advice import try_rates  # noqa: PLC0415

        found: list[Curve] = []

        def report(**values: Any) -> None:
            reporter.progress(**values)
            tell_over(f"{values['phase']}: {values.get('step', 0)}")

        for curve in try_rates.find(config, revision, report):
            found.append(curve)
            reporter.progress(found=[asdict(each) for each in found])
        result = {
            "dataset": revision.dataset,
            "revision": revision.id,
            "backbone": config.backbone,
            "freeze": config.freeze,
            **{rates.SETTINGS[one.phase]: one.suggested for one in found},
            "curves": [asdict(one) for one in found],
        }
        reporter.finish(result)
        return result
