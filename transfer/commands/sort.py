"""`sort`: pictures without labels are grouped, and sorted into a dataset's classes."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from transfer.commands import options
from transfer.commands.options import Command
from transfer.commands.output import tell_over
from transfer.datasets import editing, library
from transfer.datasets.ingest import uploads
from transfer.datasets.revision import Image, PassedOver
from transfer.doctor.begin import import_doctor
from transfer.errors import ConfigError, NotFoundError
from transfer.pile import asked, suggest, waiting
from transfer.pile.waiting import NONE, Pile
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
        metavar="JSON",
        help="what a run said of them, as 'predict --json' prints it",
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
    options.add_backbone(one)
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
        waiting.decide(args.name, dict.fromkeys(_hashes_of(args), args.to))
    else:
        found |= _group(args)
    return found | _standing(waiting.read(args.name))


def _group(args: argparse.Namespace) -> dict[str, Any]:
    """Brings pictures, if there are any, and groups all."""
    reporter = Reporter(args.job)
    with reporter.telling():

        def tell(doing: str, done: int, of: int) -> None:
            reporter.progress(doing=doing, done=done, of=of)
            tell_over(f"{done:,} of {of:,} pictures {doing}")

        library.load(args.name)
        new, left = 0, list[PassedOver]()
        if args.path:
            said = asked.read(args.answers, args.path) if args.answers else None
            new, left = waiting.bring(
                args.path,
                args.name,
                said,
                lambda done, of: tell("checked", done, of),
                options.allow(args),
            )
            if args.upload:
                uploads.discard(args.upload)
        tell("import", 0, 0)
        # Importing Keras takes seconds; what cannot be read is told before that.
        import_doctor()
        from transfer.pile import group  # noqa: PLC0415

        group.group(
            args.name,
            args.backbone,
            args.weights,
            lambda done, of: tell("seen", done, of),
        )
        passed_over = [asdict(one) for one in left]
        result = {"new": new, "passed_over": passed_over}
        reporter.finish({**result, "passed_over": passed_over[:_LISTED]})
        return result


def _hashes_of(args: argparse.Namespace) -> list[str]:
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
