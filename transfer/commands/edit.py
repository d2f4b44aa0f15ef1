"""`edit` and `revisions`: what is wrong in a dataset is mended, and what was done."""

import argparse
import time
from typing import Any

from transfer.commands import options
from transfer.commands.options import Command
from transfer.datasets import classes, editing, history
from transfer.datasets.revision import Revision
from transfer.errors import ConfigError
from transfer.store.runs import Store


def add_to(command: Command) -> None:
    """Adds the words to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    one = command("edit", edit, "move images, leave them out, rename and merge classes")
    one.add_argument("name", metavar="NAME", help="the dataset")
    what = one.add_mutually_exclusive_group(required=True)
    image: dict[str, Any] = {"nargs": "+", "metavar": "IMAGE", "default": []}
    what.add_argument(
        "--move",
        **image,
        help="images that go to a class, by SHA-256, a beginning of it, or path",
    )
    what.add_argument("--leave-out", **image, help="images to learn without")
    what.add_argument("--restore", **image, help="images that were left out")
    what.add_argument("--rename", nargs=2, metavar=("OLD", "NEW"), help="a class")
    what.add_argument(
        "--merge", nargs="+", metavar="CLASS", default=[], help="classes that are one"
    )
    what.add_argument("--undo", action="store_true", help="go back before the last")
    one.add_argument("--to", metavar="CLASS", help="of --move and --merge")
    one.add_argument("--reason", default="by hand", help="why --leave-out is asked for")
    listed = command("revisions", revisions, "list what was done to a dataset")
    listed.add_argument("name", metavar="NAME", help="the dataset")


def edit(args: argparse.Namespace) -> dict[str, Any]:
    """The dataset's newest revision after the change."""
    needs_to = bool(args.move or args.merge)
    if needs_to != (args.to is not None):
        raise ConfigError(
            "--move and --merge need --to CLASS, and nothing else takes it.",
            "Say which class the images go to.",
        )
    revision = _edit(args)
    return {
        "dataset": revision.dataset,
        "revision": revision.id,
        "parent": revision.parent,
        "says": revision.says,
        "images": len(revision.images),
        "left_out": len(revision.left_out),
        "classes": revision.counts(),
    }


def _edit(args: argparse.Namespace) -> Revision:
    name, by = args.name, options.who()
    if args.move:
        return editing.move(name, args.move, args.to, by)
    if args.leave_out:
        return editing.leave_out(name, args.leave_out, args.reason, by)
    if args.restore:
        return editing.restore(name, args.restore, by)
    if args.rename:
        old, new = args.rename
        return classes.rename(name, old, new, by)
    if args.merge:
        return classes.merge(name, args.merge, args.to, by)
    return history.undo(name)


def revisions(args: argparse.Namespace) -> dict[str, Any]:
    """All revisions of a dataset, the one made last first."""
    store = Store()
    named = store.revisions(args.name)
    store.close()
    return {
        "dataset": args.name,
        "revisions": [
            {
                "revision": one.head.id,
                "parent": one.head.parent,
                "is_newest": one.is_newest,
                "is_undone": one.is_undone,
                "when": time.strftime("%F %T", time.localtime(one.head.created_at)),
                "who": one.head.by,
                "what": one.head.says or "Imported.",
                "runs": named.get(one.head.id, []),
            }
            for one in history.steps(args.name)
        ],
    }
