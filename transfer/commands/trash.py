"""`delete`, `dataset-delete` and `trash`: what goes, and what comes back."""

import argparse
import time
from typing import Any

from transfer import workspace
from transfer.commands.options import Command, add_run
from transfer.store.runs import Store
from transfer.store.trash import Trashed
from transfer.upkeep import trash as can


def add_to(command: Command) -> None:
    """Adds the words to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    add_run(command("delete", delete, "put a run and its files into the trash"))
    one = command("dataset-delete", delete_dataset, "put a dataset into the trash")
    one.add_argument("name", metavar="NAME", help="the dataset")
    words = command("trash", trash, "list what was deleted, restore or remove it")
    words.add_argument("id", nargs="?", metavar="ID", help="as the list has it")
    what = words.add_mutually_exclusive_group()
    what.add_argument("--restore", action="store_true", help="bring it back")
    what.add_argument("--remove", action="store_true", help="remove it for good")
    what.add_argument("--empty", action="store_true", help="remove all for good")
    words.add_argument(
        "--name", default="", help="for a dataset whose name was given again meanwhile"
    )


def delete(args: argparse.Namespace) -> dict[str, Any]:
    """The run that is in the trash now."""
    one = can.put_run(Store(), args.run)
    return {"run": one.thing, "status": "deleted", "trash": one.id}


def delete_dataset(args: argparse.Namespace) -> dict[str, Any]:
    """The dataset that is in the trash now."""
    one = can.put_dataset(Store(), args.name)
    return {"dataset": one.thing, "status": "deleted", "trash": one.id}


def trash(args: argparse.Namespace) -> dict[str, Any]:
    """What is in the trash, or what became of one of it."""
    store = Store()
    can.settle(store)
    if args.empty:
        return {"removed": can.discard_old(store, after=0.0)}
    if args.id and args.restore:
        return {"restored": _record(can.restore(store, args.id, args.name))}
    if args.id and args.remove:
        return {"removed": _record(can.remove(store, args.id))}
    found = [store.trash.get(args.id)] if args.id else store.trash.all()
    return {"days": can.days(), "trash": [_record(one) for one in found]}


def _record(one: Trashed) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "thing": one.thing,
        "title": one.title,
        "deleted": time.strftime("%Y-%m-%d %H:%M", time.localtime(one.deleted_at)),
        "size": workspace.amount(can.size(one)),
    }
