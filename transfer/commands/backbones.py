"""`backbones`: what there is to fine-tune."""

import argparse
from typing import Any

from transfer.backbones import catalogue, weights
from transfer.commands.options import Command


def add_to(command: Command) -> None:
    """Adds the word to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    command("backbones", backbones, "list the backbones")


def backbones(_: argparse.Namespace) -> dict[str, Any]:
    """The catalogue."""
    return {
        "backbones": [
            {
                "backbone": name,
                "parameters": one.parameters,
                "image_size": one.native_size,
                "imagenet_top_1": one.imagenet_top_1,
                "weights_at_hand": weights.is_at_hand(one),
                "licence": one.licence,
            }
            for name, one in catalogue.BACKBONES.items()
        ]
    }
