"""`python -m transfer weights`: which pretrained weights are here, and getting more."""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from transfer.backbones import catalogue, download, weights
from transfer.backbones.catalogue import Backbone
from transfer.commands import options
from transfer.commands.options import Command
from transfer.commands.output import tell_over
from transfer.errors import WeightsError
from transfer.runs.jobs import Reporter


def add_to(command: Command) -> None:
    """Adds the words to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    about = "pretrained weights: what is here, download, add from a file"
    ways = command("weights", None, about).add_subparsers(
        dest="way", required=True, metavar="WAY"
    )
    listed = ways.add_parser("list", help="what is here, what for, size and licence")
    listed.set_defaults(does=list_)
    fetch_ = ways.add_parser("fetch", help="download ImageNet weights beforehand")
    fetch_.add_argument("names", nargs="+", metavar="NAME", help="backbone, or `all`")
    fetch_.set_defaults(does=fetch)
    add_ = ways.add_parser("add", help="take a weights file from a stick or a share")
    add_.add_argument("files", nargs="+", type=Path, metavar="FILE")
    add_.set_defaults(does=add)
    for way in (fetch_, add_):
        options.add_job(way)
    for way in (listed, fetch_, add_):
        way.add_argument("--json", action="store_true", help="one JSON object")


def list_(_: argparse.Namespace) -> dict[str, Any]:
    """All pretrained weights."""
    return {"weights": [_record(one) for one in catalogue.BACKBONES.values()]}


def fetch(args: argparse.Namespace) -> dict[str, Any]:
    """Downloads what is missing; where one fails, the others still come."""
    reporter = Reporter(args.job)
    with reporter.telling():
        wanted = [catalogue.get(name) for name in args.names if name != "all"]
        if "all" in args.names:  # a package is not downloaded but installed
            wanted = [one for one in catalogue.BACKBONES.values() if one.weights_url]
        failed = []
        for number, one in enumerate(wanted, 1):
            told = partial(_tell, reporter, one, f"{number} of {len(wanted)}")
            try:
                download.fetch(one, told)
            except WeightsError as error:
                failed.append(f"{one.name}: {error}")
        if failed:
            raise WeightsError(
                f"{len(failed)} of {len(wanted)} weights could not be fetched. "
                + " ".join(failed)
            )
        result = {"weights": [_record(one) for one in wanted]}
        reporter.finish(result)
        return result


def _tell(reporter: Reporter, one: Backbone, number: str, done: int, of: int) -> None:
    about = {"backbone": one.name, "number": number}
    reporter.progress(**about, done=done, of=of)
    tell_over(f"{one.name} ({number}): {done >> 20} of {of >> 20} MB")


def add(args: argparse.Namespace) -> dict[str, Any]:
    """Checks each file and puts it where Keras looks for it."""
    reporter = Reporter(args.job)
    with reporter.telling():
        reporter.progress(doing="check")
        result = {"weights": [_record(download.add(file)) for file in args.files]}
        reporter.finish(result)
        return result


def _record(one: Backbone) -> dict[str, Any]:
    return {
        "backbone": one.name,
        "here": weights.is_at_hand(one),
        "megabytes": round(weights.size(one) / 1e6, 1),
        "imagenet_top_1": one.imagenet_top_1,
        "licence": one.licence,
        "file": str(weights.weights_file(one)),
        "url": one.weights_url,
        "package": one.weights_package,
    }
