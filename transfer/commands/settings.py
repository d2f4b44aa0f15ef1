"""The settings of a run as options of a command."""

import argparse
import sys
from collections.abc import Callable, Collection
from typing import Any

from transfer.backbones import catalogue, weights
from transfer.backbones.freezing import FreezePlan
from transfer.config import TrainConfig, explained


def add_to(command: argparse.ArgumentParser, without: Collection[str] = ()) -> None:
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
                help=explained(name).replace("%", "%%"),
            )


def _number(annotation: Any) -> Callable[[str], Any]:
    if annotation is float:
        return float
    return int if annotation in (int, int | None) else str


def given(args: argparse.Namespace) -> TrainConfig:
    """The settings that were given; the others have their defaults.

    Raises:
        ConfigError: One or more are out of their limits.
        BackboneError: The backbone is not in the catalogue.
        FreezeError: The freeze plan cannot be read.
    """
    named = {n: getattr(args, n) for n in TrainConfig.model_fields if n in args}
    if "backbone" not in named:
        named["backbone"] = weights.default_backbone()
        if named["backbone"] == catalogue.STARTER:
            print(weights.starter_instead(), file=sys.stderr, flush=True)
    config = TrainConfig.checked(**named)
    catalogue.get(config.backbone)
    FreezePlan.parse(config.freeze)
    return config
