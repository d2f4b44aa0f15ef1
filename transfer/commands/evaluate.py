"""`python -m transfer evaluate`: how well a run does on a split."""

import argparse
from collections.abc import Callable
from typing import Any

from transfer.inference import InferenceProcess
from transfer.runs import evaluations
from transfer.runs.store import Store


def add_to(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the word to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    one = command("evaluate", evaluate, "evaluate a finished run on a split")
    one.add_argument("run", metavar="RUN", help="id or name")
    one.add_argument(
        "--split",
        choices=("val", "test", "train"),
        default="val",
        help="which images; val unless said otherwise",
    )


def evaluate(args: argparse.Namespace) -> dict[str, Any]:
    """All figures with their intervals; computed if they are not stored yet."""
    store = Store()
    try:
        run = store.get(args.run)
    finally:
        store.close()
    stored = evaluations.load(run.id, args.split)
    if stored and stored.robustness:
        return stored.summary()
    process = InferenceProcess()
    try:
        return process.evaluate(run.id, args.split)
    finally:
        process.close()
