"""`python -m transfer weights`: which pretrained weights are here, and getting more."""

import argparse
from pathlib import Path
from typing import Any

from transfer.backbones import catalogue, weights
from transfer.backbones.catalogue import Backbone
from transfer.commands.options import Command
from transfer.errors import WeightsError


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
    for way in (listed, fetch_, add_):
        way.add_argument("--json", action="store_true", help="one JSON object")


def list_(_: argparse.Namespace) -> dict[str, Any]:
    """All pretrained weights."""
    return {"weights": [_record(one) for one in catalogue.BACKBONES.values()]}


def fetch(args: argparse.Namespace) -> dict[str, Any]:
    """Downloads what is missing; where one fails, the others still come."""
    # Keras takes seconds to import, and `list` needs none of it.
    from transfer.backbones import pretrained  # noqa: PLC0415

    names = list(catalogue.BACKBONES) if args.names == ["all"] else args.names
    wanted = [catalogue.get(name) for name in names]
    failed = []
    for one in wanted:
        try:
            pretrained.fetch(one)
        except WeightsError as error:
            failed.append(f"{one.name}: {error}")
    if failed:
        raise WeightsError(
            f"{len(failed)} of {len(wanted)} weights could not be fetched. "
            + " ".join(failed)
        )
    return {"weights": [_record(one) for one in wanted]}


def add(args: argparse.Namespace) -> dict[str, Any]:
    """Checks each file and puts it where Keras looks for it."""
    from transfer.backbones import pretrained  # noqa: PLC0415

    return {"weights": [_record(pretrained.add(file)) for file in args.files]}


def _record(one: Backbone) -> dict[str, Any]:
    return {
        "backbone": one.name,
        "here": weights.is_at_hand(one),
        "megabytes": round(weights.size(one) / 1e6, 1),
        "imagenet_top_1": one.imagenet_top_1,
        "licence": one.licence,
        "file": str(weights.weights_file(one)),
        "url": one.weights_url,
    }
