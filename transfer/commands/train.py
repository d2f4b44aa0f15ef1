"""`train` and `resume`: runs that are begun or go on, and waited for."""

import argparse
import time
from typing import Any

from transfer import errors
from transfer.commands import options
from transfer.commands.options import Command
from transfer.commands.output import LOOK, tell
from transfer.commands.runs import outcome_of
from transfer.datasets import library
from transfer.errors import RunError
from transfer.processes import Watch
from transfer.runs import continuing, queue, vanished
from transfer.store.record import Run
from transfer.store.runs import Store


def add_to(command: Command) -> None:
    """Adds the words to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    new = command("train", train, "train a classifier")
    options.add_settings(new)
    new.add_argument("--name", default="", help="what to call the run")
    again = command("resume", resume, "go on with a run from its last checkpoint")
    options.add_run(again)
    for one in (new, again):
        one.add_argument(
            "--detach", action="store_true", help="do not wait for the run's end"
        )


def train(args: argparse.Namespace) -> dict[str, Any]:
    """A new run, and what came of it."""
    config = options.settings(args)
    revision = library.load(config.dataset)
    revision.check_learnable()
    config.check_kind(revision.kind)
    config = config.model_copy(update={"revision": revision.id})
    store = Store()
    continuing.model(store, config, revision)
    return _follow(store, store.create(config, args.name), args.detach)


def resume(args: argparse.Namespace) -> dict[str, Any]:
    """A run that goes on from its last checkpoint, and what came of it."""
    store = Store()
    return _follow(store, queue.resume(store, args.run), args.detach)


def _follow(store: Store, run: Run, detach: bool) -> dict[str, Any]:
    """What came of a queued run, or how it stands if it is not to be waited for."""
    queue.dispatch(store)
    if detach:
        return outcome_of(store.get(run.id))
    tell(f"run {run.id}")
    try:
        ended = _wait_for(store, run.id)
    except KeyboardInterrupt:
        tell("\nstopping; the best weights are kept")
        queue.stop(store, run.id)
        ended = _wait_for(store, run.id)
    if ended.error:
        kind = getattr(errors, ended.error["kind"], RunError)
        raise kind(ended.error["message"], ended.error["hint"])
    return outcome_of(ended)


def _wait_for(store: Store, run_id: str) -> Run:
    """The run once it has ended; starts it when its turn has come."""
    last, watch = "", Watch()
    while not (run := store.get(run_id)).status.is_final:
        line = _progress_line(run)
        if line != last:
            tell(f"\r{line:<78}", end="")
            last = line
        vanished.sweep(store, watch=watch)
        queue.dispatch(store)
        time.sleep(LOOK)
    tell("")
    return run


def _progress_line(run: Run) -> str:
    now = run.progress
    parts = [str(run.status), now.get("phase", "")]
    if "epoch" in now:
        parts.append(f"epoch {now['epoch']} of {now['epochs']}")
    if "step" in now:
        parts.append(f"step {now['step']} of {now['steps']}")
    return "  ".join(part for part in parts if part)
