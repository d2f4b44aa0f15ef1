"""`backup` and `restore`: the whole workspace in one file."""

import argparse
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from transfer import workspace
from transfer.commands.options import Command
from transfer.commands.output import tell, tell_over
from transfer.upkeep import backup
from transfer.upkeep.backup import Contents


def add_to(command: Command) -> None:
    """Adds the words to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    one = command("backup", back_up, "write the workspace to one file, also while used")
    one.add_argument("--output", type=Path, required=True, metavar="PATH")
    one.add_argument(
        "--without-caches",
        action="store_true",
        help="leave out features and thumbnails, which are made again when needed",
    )
    one = command("restore", restore, "bring a workspace back out of such a file")
    one.add_argument("backup", type=Path, metavar="PATH", help="what `backup` wrote")
    one.add_argument(
        "--to",
        type=Path,
        metavar="FOLDER",
        help="an empty folder or none; TRANSFER_HOME if not given",
    )


def back_up(args: argparse.Namespace) -> dict[str, Any]:
    """The backup that was written."""
    caches = not args.without_caches
    contents = backup.write(args.output, caches, _progress("packed"))
    return {"backup": str(args.output.absolute()), **_record(contents)}


def restore(args: argparse.Namespace) -> dict[str, Any]:
    """The workspace that was brought back."""
    to = (args.to or workspace.home()).expanduser().absolute()
    contents = backup.restore(args.backup, to, _progress("unpacked"))
    return {"workspace": str(to), **_record(contents)}


def _record(contents: Contents) -> dict[str, Any]:
    tell("")
    made_at = datetime.fromtimestamp(contents.made_at).isoformat(" ", "seconds")
    return {**asdict(contents), "made_at": made_at}


def _progress(did: str) -> backup.Progress:
    def progress(done: int, of: int) -> None:
        tell_over(f"{did} {done >> 20} of {of >> 20} MB")

    return progress
