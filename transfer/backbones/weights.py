"""Where pretrained weights lie, and which are at hand; Keras is not needed."""

import functools
import os
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from transfer.backbones import catalogue
from transfer.backbones.catalogue import BACKBONES, Backbone
from transfer.errors import WeightsError

#: Seconds that the network is waited for, and after which it is asked again.
_PATIENCE, _ASK_AGAIN = 2.0, 600.0


def keras_home() -> Path:
    """Keras' own folder: `KERAS_HOME`, else `~/.keras`."""
    named = os.environ.get("KERAS_HOME")
    return Path(named).expanduser() if named else Path.home() / ".keras"


def weights_file(backbone: Backbone) -> Path:
    """The file of this backbone's pretrained weights: the starter's lies here, the
    others where Keras keeps them.
    """
    if backbone.pretrained == "starter":
        return Path(__file__).parent / "starter" / backbone.weights_file
    return keras_home() / "models" / backbone.weights_file


def is_at_hand(backbone: Backbone) -> bool:
    """Whether the pretrained weights lie there, so that no network is needed."""
    return weights_file(backbone).is_file()


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


def default_backbone() -> str:
    """Name of the backbone to offer first: the usual default where its weights are at
    hand, else the one with the most accurate ImageNet weights that are, else the usual
    default where its weights can be downloaded, and at last the starter.

    Takes up to two seconds once in ten minutes.
    """
    usual = catalogue.get(catalogue.DEFAULT)
    if is_at_hand(usual):
        return usual.name
    here = [b for b in BACKBONES.values() if b.imagenet_top_1 and is_at_hand(b)]
    if here:
        # Weights that are here cost no wait and no network; among them accuracy is the
        # best guess.
        return max(here, key=lambda one: one.imagenet_top_1 or 0.0).name
    # The number of the period is a parameter so that a new one is asked for anew.
    period = int(time.time() / _ASK_AGAIN)
    if _can_be_fetched(usual.weights_url, period):
        return usual.name
    return catalogue.STARTER


def starter_instead() -> str:
    """Why the starter is the default, and what ImageNet weights would give."""
    usual = catalogue.get(catalogue.DEFAULT)
    return (
        "No ImageNet weights are on this machine, and those of "
        f"{usual.title} cannot be downloaded from here, so the starter is chosen, "
        "which comes with Transfer Studio. ImageNet weights would name more of your "
        "images right: of photographs of five flowers even the smallest such backbone "
        "names 90 % right, the starter 88 %."
    )


@functools.lru_cache(maxsize=1)
def _can_be_fetched(url: str, period: int) -> bool:
    pool = ThreadPoolExecutor(1)  # looking up a name knows no time limit of its own
    try:
        return pool.submit(_answers, url).result(_PATIENCE)
    except TimeoutError:
        return False
    finally:
        pool.shutdown(wait=False)


def _answers(url: str) -> bool:
    # The head only: the file itself may have a hundred megabytes.
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE):  # noqa: S310
            return True
    except OSError:
        return False


def missing(backbone: Backbone, reason: str) -> WeightsError:
    """The error that the ImageNet weights are neither there nor to be fetched.

    Args:
        backbone: The backbone whose weights are wanted.
        reason: Why they could not be fetched.
    """
    path = weights_file(backbone)
    others = [other.title for other in BACKBONES.values() if is_at_hand(other)]
    return WeightsError(
        f"The ImageNet weights of {backbone.title} are not at hand and could not be "
        f"downloaded: {reason}.",
        f"Put the file {path.name} into {path.parent} (it comes from "
        f"{backbone.weights_url}), or choose a backbone whose weights are there "
        f"({', '.join(others)}), or random weights.",
    )
