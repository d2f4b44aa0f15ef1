"""`queue`: the one line of all long work, whose turn it is, and its order changed."""

import argparse
from typing import Any, get_args

from transfer.commands.options import Command
from transfer.errors import ConfigError, NotFoundError
from transfer.runs import order, places, vanished
from transfer.store.record import Job, Run
from transfer.store.runs import Store
from transfer.store.turns import RULE


def add_to(command: Command) -> None:
    """Adds the word to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    words = command("queue", queue, "tell who works and waits; change the order")
    words.add_argument("job", nargs="?", metavar="JOB", help="id of one that waits")
    words.add_argument(
        "--to", choices=get_args(order.To), help="where JOB is moved among those"
    )


def queue(args: argparse.Namespace) -> dict[str, Any]:
    """Who works and who waits, in the order in which they are taken."""
    if bool(args.job) != bool(args.to):
        raise ConfigError("A job and --to belong together.", "Give both, or neither.")
    store = Store()
    vanished.sweep(store)
    if args.to:
        order.move(store, args.job, args.to)
    by_id, line = {one.id: one for one in store.waiting()}, places.places(store)
    return {
        "rule": RULE,
        "at_work": [_record(store, one) for one in store.active()],
        "waiting": [
            {
                **_record(store, by_id[job_id]),
                "place": place.position,
                "starts_in_seconds": place.seconds,
                "waits_for": place.why,
            }
            for job_id, place in line.items()
            if job_id in by_id
        ],
    }


def _record(store: Store, job: Job) -> dict[str, Any]:
    try:
        who = store.people.get(job.owner).name if job.owner else ""
    except NotFoundError:
        who = ""
    called = job.name if isinstance(job, Run) else job.subject
    return {"job": job.id, "kind": job.kind, "name": called, "of": who}
