"""`doctor`: what may be wrong with a dataset, the surest first."""

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from transfer.backbones import catalogue
from transfer.commands import options
from transfer.commands.options import Command
from transfer.commands.output import tell_over
from transfer.datasets import library
from transfer.doctor import begin, report
from transfer.runs.jobs import Reporter

#: What the doctor does, in words.
_DOING = {
    "look": "images looked at",
    "features": "images seen by the backbone",
    "neighbours": "images compared with others",
    "copies": "pairs laid over each other",
    "labels": "labels judged",
}


def add_to(command: Command) -> None:
    """Adds the word to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    about = "find wrong labels, copies, bad pictures and leaks in a dataset"
    one = command("doctor", doctor, about)
    one.add_argument("name", metavar="NAME", help="the dataset")
    options.add_backbone(one)
    one.add_argument(
        "--groups",
        nargs=2,
        metavar=("TABLE", "COLUMN"),
        help="a CSV file and its column that has the subject or session of each image",
    )
    options.add_weights(one)
    options.add_resizing(one)
    options.add_revision(one)
    options.add_job(one)


def doctor(args: argparse.Namespace) -> dict[str, Any]:
    """All findings; they are kept with the revision too."""
    reporter = Reporter(args.job)
    with reporter.telling():
        revision = library.load(args.name, args.revision)
        if args.backbone:
            catalogue.get(args.backbone)
        reporter.progress(doing="import", done=0, of=0)

        def report_progress(doing: str, done: int, of: int) -> None:
            reporter.progress(doing=doing, done=done, of=of)
            tell_over(f"{done:,} of {of:,} {_DOING[doing]}")

        table = (Path(args.groups[0]), args.groups[1]) if args.groups else None
        seen = args.weights, report_progress, table, args.resizing
        found = begin.examine(revision, args.backbone, *seen)
        report.keep(revision, found)
        kinds = Counter(one.kind for one in found)
        told = {"dataset": revision.dataset, "findings": len(found)}
        reporter.finish({**told, "kinds": dict(kinds)})
        return {"findings": [one.to_json() for one in found]}
