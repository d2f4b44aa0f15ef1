"""`runs`, `show`, `tag` and `stop`: what there is of runs, and its upkeep."""

import argparse
from typing import Any

from transfer.commands.options import Command, add_run
from transfer.evaluation import certainty
from transfer.runs import queue, vanished
from transfer.store import outcome
from transfer.store.record import Run
from transfer.store.runs import Store


def add_to(command: Command) -> None:
    """Adds the words to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    command("runs", runs, "list the runs")
    add_run(command("show", show, "show a run"))
    words = command("tag", tag, "name a run, note something about it, tag it")
    add_run(words)
    words.add_argument("--name", help="what to call it")
    words.add_argument("--note", help="what to remember about it")
    words.add_argument("--tags", help="words to find it by, with commas between")
    add_run(command("stop", stop, "stop a run and keep its best weights, or a job"))


def runs(_: argparse.Namespace) -> dict[str, Any]:
    """All runs, newest first."""
    store = Store()
    vanished.sweep(store)
    return {
        "runs": [
            {
                **outcome_of(run),
                "name": run.name,
                "dataset": run.dataset,
                "note": run.note,
                "tags": [*run.tags],
            }
            for run in store.runs()
        ]
    }


def show(args: argparse.Namespace) -> dict[str, Any]:
    """A run with its settings and the values of its epochs."""
    store = Store()
    vanished.sweep(store)
    run = store.get(args.run)
    epochs: dict[tuple[str, int], dict[str, float]] = {}
    for metric in store.metrics.of_epochs(run.id):
        epochs.setdefault((metric.phase, metric.epoch), {})[metric.name] = metric.value
    return {
        **outcome_of(run),
        "name": run.name,
        "config": run.config.model_dump(),
        "epochs": [
            {"phase": phase, "epoch": epoch, **values}
            for (phase, epoch), values in epochs.items()
        ],
    }


def tag(args: argparse.Namespace) -> dict[str, Any]:
    """A run with its new name, note and tags."""
    store = Store()
    tags = None if args.tags is None else args.tags.split(",")
    run = store.describe(store.get(args.run).id, args.name, args.note, tags)
    return {"run": run.id, "name": run.name, "note": run.note, "tags": [*run.tags]}


def stop(args: argparse.Namespace) -> dict[str, Any]:
    """A run, or another job by its id, after the request to stop it."""
    job = queue.stop(Store(), args.run)
    if isinstance(job, Run):
        return outcome_of(job)
    return {"job": job.id, "status": str(job.status)}


def outcome_of(run: Run) -> dict[str, Any]:
    """How a run stands and what came of it; what is not known yet is `None`."""
    empty: dict[str, Any] = {
        "val_accuracy": None,
        "val_balanced_accuracy": None,
        "trainable_parameters": None,
        "frozen_parameters": None,
        "seconds": {},
        "peak_memory_mb": None,
    }
    known = certainty.in_words(run)
    words = [outcome.beside_headline(run), known, *outcome.remarks(run)]
    remarks = {"remarks": [one for one in words if one]}
    error = {"error": run.error} if run.error else {}
    status = {"run": run.id, "status": str(run.status)}
    return {**status, **empty, **run.result, **remarks, **error}
