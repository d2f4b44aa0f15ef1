"""Where the ImageNet weights lie, and which are at hand; Keras is not needed."""

import os
from pathlib import Path

from transfer.backbones.catalogue import BACKBONES, Backbone
from transfer.errors import WeightsError


def keras_home() -> Path:
    """Keras' own folder: `KERAS_HOME`, else `~/.keras`."""
    named = os.environ.get("KERAS_HOME")
    return Path(named).expanduser() if named else Path.home() / ".keras"


def weights_file(backbone: Backbone) -> Path:
    """The file that Keras keeps this backbone's ImageNet weights in."""
    return keras_home() / "models" / backbone.weights_file


def is_at_hand(backbone: Backbone) -> bool:
    """Whether the ImageNet weights lie there, so that no network is needed."""
    return weights_file(backbone).is_file()


def missing(backbone: Backbone, reason: str) -> WeightsError:
    """The error that the ImageNet weights are neither there nor to be fetched.

    Args:
        backbone: The backbone whose weights are wanted.
        reason: Why they could not be fetched.
    """
    path = weights_file(backbone)
    others = [name for name, other in BACKBONES.items() if is_at_hand(other)]
    choice = f"the weights of {', '.join(others)}, which are there, or " * bool(others)
    return WeightsError(
        f"The ImageNet weights of {backbone.name} are not at hand and could not be "
        f"downloaded: {reason}.",
        f"Put the file {path.name} into {path.parent} (it comes from "
        f"{backbone.weights_url}), or choose {choice}random weights.",
    )
