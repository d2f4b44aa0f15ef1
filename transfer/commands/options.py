"""What several commands ask for: a run, the settings of one, a job, who types."""

import argparse
import getpass
from collections.abc import Callable, Collection
from contextlib import closing
from typing import Any, Protocol, get_args

from transfer.backbones import catalogue, weights
from transfer.backbones.freezing import FreezePlan
from transfer.config import TrainConfig, help_text
from transfer.datasets import library
from transfer.datasets.ingest import uploads
from transfer.datasets.ingest.staging import Allow
from transfer.people import limits
from transfer.store.runs import Store


class Command(Protocol):
    """Makes the parser of a word of the command line."""

    def __call__(
        self, name: str, does: Callable[..., Any] | None, text: str, /
    ) -> argparse.ArgumentParser:
        """The parser.

        Args:
            name: The word.
            does: Is given what was parsed; `None` where further words follow.
            text: What it does, in a line of the help.
        """
        ...


def add_run(command: argparse.ArgumentParser) -> None:
    """The run that a command is about."""
    command.add_argument("run", metavar="RUN", help="id or name")


def add_job(command: argparse.ArgumentParser) -> None:
    """The job that a command carries out; words of the program, not of people."""
    command.add_argument("--job", default="", help=argparse.SUPPRESS)


def add_revision(command: argparse.ArgumentParser) -> None:
    """The revision of a dataset, which a page knows; else the newest."""
    command.add_argument("--revision", default="", help=argparse.SUPPRESS)


def allow(args: argparse.Namespace, owner: str | None = None) -> Allow:
    """Refuses pictures that are more than somebody may have, before any is copied.

    Args:
        args: With `name` of a dataset and `upload`, which is let go once they are in.
        owner: Whose a new dataset will be; by default whose the dataset is.
    """

    def check(count: int, size: int) -> None:
        with closing(Store()) as store:
            whose = owner or store.datasets.get(args.name).owner
            lies_there = uploads.count(args.upload).bytes if args.upload else 0
            more = max(size - lies_there, 0)
            limits.require(store, whose, images=count, disk=more)

    return check


def who() -> str:
    """The account that runs the command; empty where the system knows no name of it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such account, as in a container
        return ""


def add_backbone(command: argparse.ArgumentParser) -> None:
    """The backbone that sees the images; the best at hand where none is given."""
    command.add_argument(
        "--backbone", default="", help="its name; the best at hand if not given"
    )


def add_weights(command: argparse.ArgumentParser) -> None:
    """Where a backbone's parameters come from."""
    command.add_argument(
        "--weights",
        default="imagenet",
        help="where their parameters come from: imagenet, random or a weights file",
    )


def add_image_size(command: argparse.ArgumentParser) -> None:
    """The size of the pictures that a backbone is given."""
    command.add_argument(
        "--image-size", type=int, default=None, help="height and width in pixels"
    )


def add_resizing(command: argparse.ArgumentParser) -> None:
    """How the pictures are resized that a backbone is given."""
    field = TrainConfig.model_fields["resizing"]
    command.add_argument(
        "--resizing",
        choices=get_args(field.annotation),
        default=field.default,
        help=help_text("resizing"),
    )


def add_settings(
    command: argparse.ArgumentParser, without: Collection[str] = ()
) -> None:
    """One option for each setting, with its own help and default.

    Args:
        command: Gets the options.
        without: Names of settings that it does not get.
    """
    for name, field in TrainConfig.model_fields.items():
        if name not in ("revision", *without):
            command.add_argument(
                "--" + name.replace("_", "-"),
                required=field.is_required(),
                type=_number(field.annotation),
                default=argparse.SUPPRESS,
                help=help_text(name).replace("%", "%%"),
            )


def _number(annotation: Any) -> Callable[[str], Any]:
    if annotation is float:
        return float
    return int if annotation in (int, int | None) else str


def settings(args: argparse.Namespace) -> TrainConfig:
    """The settings that were given; the others have their defaults.

    Raises:
        ConfigError: One or more are out of their limits.
        BackboneError: The backbone is not in the catalogue.
        FreezeError: The freeze plan cannot be read.
        DatasetError: There is no such dataset.
    """
    named = {n: getattr(args, n) for n in TrainConfig.model_fields if n in args}
    if "backbone" not in named:
        kind = library.load(args.dataset).kind
        named["backbone"] = weights.default_backbone(kind)
    config = TrainConfig.of(**named)
    catalogue.get(config.backbone)
    FreezePlan.parse(config.freeze)
    return config
