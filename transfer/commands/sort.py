"""`sort`: pictures without labels are grouped, and sorted into a dataset's classes."""

import argparse
import csv
from dataclasses import asdict
from pathlib import Path
from typing import Any

from transfer.backbones.quick_import import quickly
from transfer.commands import options
from transfer.commands.options import Command
from transfer.commands.output import tell_over
from transfer.datasets import editing, library
from transfer.datasets.ingest import uploads
from transfer.datasets.revision import Image, PassedOver
from transfer.errors import ConfigError, NotFoundError
from transfer.pile import suggest, waiting
from transfer.pile.waiting import NONE, Pile, Said
from transfer.runs.jobs import Reporter

#: Files passed over that a job's result lists.
_LISTED = 200


def add_to(command: Command) -> None:
    """Adds the word to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    one = command("sort", sort, "group pictures without labels, and say their classes")
    one.add_argument("name", metavar="NAME", help="the dataset")
    one.add_argument(
        "path",
        type=Path,
        nargs="?",
        metavar="PATH",
        help="folder, zip or picture to put on the dataset's pile",
    )
    one.add_argument(
        "--answers",
        type=Path,
        metavar="CSV",
        help="what a run said of them, as 'predict --csv' writes it",
    )
    what = one.add_mutually_exclusive_group()
    what.add_argument("--group", type=int, metavar="N", help="a group that has a class")
    what.add_argument(
        "--pictures",
        nargs="+",
        metavar="PICTURE",
        help="some that have a class, by SHA-256, a beginning of it, or path",
    )
    what.add_argument("--back", action="store_true", help="take the last word back")
    what.add_argument(
        "--finish", action="store_true", help="bring what is sorted into the dataset"
    )
    one.add_argument(
        "--to", metavar="CLASS", help="of --group and --pictures; '' for none of them"
    )
    one.add_argument("--backbone", default="", help="name of the one that groups them")
    one.add_argument("--upload", default="", help=argparse.SUPPRESS)
    options.add_weights(one)
    options.add_job(one)


def sort(args: argparse.Namespace) -> dict[str, Any]:
    """The groups that are still to be sorted, after what was asked for."""
    needs_to = args.group is not None or args.pictures is not None
    if needs_to != (args.to is not None):
        raise ConfigError(
            "--group and --pictures need --to CLASS, and nothing else takes it.",
            "Say which class they show.",
        )
    found: dict[str, Any] = {"dataset": args.name}
    if args.finish:
        added = waiting.take_in(args.name, options.who())
        found |= {"says": added.revision.says, "revision": added.revision.id}
    elif args.back:
        waiting.take_back(args.name)
    elif needs_to:
        waiting.decide(args.name, dict.fromkeys(_named(args), args.to))
    else:
        found |= _group(args)
    return found | _standing(waiting.read(args.name))


def _group(args: argparse.Namespace) -> dict[str, Any]:
    """Brings pictures, if there are any, and groups all."""
    reporter = Reporter(args.job)
    with reporter.telling():

        def told(doing: str, done: int, of: int) -> None:
            reporter.progress(doing=doing, done=done, of=of)
            tell_over(f"{done:,} of {of:,} pictures {doing}")

        library.load(args.name)
        new, left = 0, list[PassedOver]()
        if args.path:
            said = _answers(args.answers) if args.answers else None
            new, left = waiting.bring(
                args.path, args.name, said, lambda done, of: told("checked", done, of)
            )
            if args.upload:
                uploads.discard(args.upload)
        told("import", 0, 0)
        # Importing Keras takes seconds; what cannot be read is report before that.
        with quickly():
            from transfer.pile import group  # noqa: PLC0415

        groups = group.group(
            args.name,
            args.backbone,
            args.weights,
            lambda done, of: told("seen", done, of),
        )
        passed_over = [asdict(one) for one in left]
        result = {"new": new, "groups": groups, "passed_over": passed_over}
        reporter.finish({**result, "passed_over": passed_over[:_LISTED]})
        return result


def _answers(path: Path) -> dict[str, Said]:
    """What a run said of pictures, by path."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [one for one in csv.DictReader(file) if one["best_class"]]
        return {
            one["file"]: Said(one["best_class"], float(one["confidence"]))
            for one in rows
        }
    except (OSError, ValueError, KeyError, UnicodeError) as error:
        raise ConfigError(
            f"{path} cannot be read as answers of a run: {error}.",
            "Give a file that `predict --csv` or the page Predict wrote.",
        ) from error


def _named(args: argparse.Namespace) -> list[str]:
    """SHA-256 of the pictures that are named."""
    pile = waiting.read(args.name)
    if args.pictures:
        images = [
            Image(sha256=x.sha256, path=x.entry.path, label=0, split="train")
            for x in pile.pictures
        ]
        return [one.sha256 for one in editing.among(images, args.pictures)]
    groups = {one.number: one.hashes for one in suggest.suggest(pile).groups}
    if args.group not in groups:
        known = ", ".join(map(str, sorted(groups))) or "none"
        raise NotFoundError(
            f"There is no group {args.group} to be sorted.", f"There are: {known}."
        )
    return [*groups[args.group]]


def _standing(pile: Pile) -> dict[str, Any]:
    """What is on the pile, and what of it may show what."""
    found = suggest.suggest(pile)
    paths = {one.sha256: one.entry.path for one in pile.pictures}
    return {
        "waiting": len(pile.open),
        "sorted": sum(name != NONE for name in pile.decided.values()),
        "of_no_class": sum(name == NONE for name in pile.decided.values()),
        "least_certain": [
            {"path": paths[sha], **found.of[sha]._asdict()} for sha in found.next[:10]
        ],
        "groups": [
            {
                "group": one.number,
                "suggestion": one.suggestion,
                "certainty": one.certainty,
                "pictures": [paths[sha] for sha in one.hashes],
            }
            for one in found.groups
        ],
    }
