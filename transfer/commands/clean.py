"""`clean`: what may go is listed, and with `--yes` it goes."""

import argparse
from typing import Any

from transfer import workspace
from transfer.commands.options import Command
from transfer.commands.output import tell
from transfer.errors import ConfigError, RunError
from transfer.runs import vanished
from transfer.store.runs import Store
from transfer.upkeep import cleaning
from transfer.upkeep.cleaning import Part


def add_to(command: Command) -> None:
    """Adds the words to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    text = "make room: list what may go, and remove it with --yes"
    one = command("clean", clean, text)
    one.add_argument(
        "--caches", action="store_true", help="features, thumbnails and zips"
    )
    one.add_argument(
        "--runs",
        type=float,
        metavar="DAYS",
        help="runs that ended so long ago, without tags and notes, and from which no "
        "other was started",
    )
    one.add_argument(
        "--datasets",
        type=float,
        metavar="DAYS",
        help="datasets that were not changed for so long and that no run names",
    )
    one.add_argument(
        "--everything",
        action="store_true",
        help="all runs, datasets, uploads, trash and caches: the end of a workshop",
    )
    one.add_argument("--trash", action="store_true", help="what was deleted")
    one.add_argument("--uploads", action="store_true", help="what became no dataset")
    one.add_argument(
        "--people",
        action="store_true",
        help="with --everything: the people too, with their codes and tokens",
    )
    one.add_argument(
        "--log",
        action="store_true",
        help="with --everything: also who deleted, shared, signed in",
    )
    one.add_argument("--yes", action="store_true", help="remove what is listed")


def clean(args: argparse.Namespace) -> dict[str, Any]:
    """What goes, or would go."""
    if not (args.caches or args.everything or _is_named(args)):
        raise ConfigError(
            "Nothing was named that may go.",
            "Name --caches, --trash, --uploads, --runs DAYS, --datasets DAYS or "
            "--everything.",
        )
    store = Store()
    vanished.sweep(store)
    if args.everything and args.yes and (busy := [*store.active(), *store.waiting()]):
        labels = ", ".join(job.label for job in busy[:5])
        raise RunError(f"This still works or waits: {labels}.", "Stop it first.")
    parts = _parts(args, store)
    if args.yes:
        tell(f"removing {len(parts)} things")
        cleaning.remove(store, parts)
    return {
        "removed": args.yes,
        "parts": [f"{one.what}: {workspace.amount(one.bytes)}" for one in parts],
        "bytes": sum(one.bytes for one in parts),
    }


def _is_named(args: argparse.Namespace) -> bool:
    by_days = args.runs is not None or args.datasets is not None
    return by_days or args.trash or args.uploads


def _parts(args: argparse.Namespace, store: Store) -> list[Part]:
    """In the order in which they go: what can be made again before what cannot."""
    if args.everything:
        return cleaning.everything(store, args.people, args.log)
    runs = cleaning.runs(store, args.runs) if args.runs is not None else []
    parts = [*(cleaning.caches() if args.caches else ())]
    parts += cleaning.in_trash(store) if args.trash else ()
    parts += cleaning.uploads(store) if args.uploads else ()
    parts += runs
    if args.datasets is not None:
        going = {one.id for one in runs}
        parts += cleaning.datasets(store, args.datasets, going)
    return parts
