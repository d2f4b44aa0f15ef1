"""The 1,000 classes of ImageNet, what a source model can say; Keras is not needed."""

import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from transfer.errors import BackboneError

#: Synset and label of each of ImageNet's classes, as Keras publishes them.
_CLASSES = Path(__file__).with_name("imagenet_classes.json")


@cache
def titles() -> tuple[str, ...]:
    """What each class is called, in the order of the source models' answers."""
    labels = [label for _, label in _classes()]
    # Two labels stand for two classes each (crane, maillot): the synset tells which.
    often = Counter(map(_plain, labels))
    return tuple(
        label.replace("_", " ") + f" ({synset})" * (often[_plain(label)] > 1)
        for synset, label in _classes()
    )


def find(name: str) -> int | None:
    """The position of the class of that name; None where there is none.

    Args:
        name: A label or synset, such as `tabby` or `n02123045`.
    """
    return _positions().get(_plain(name))


def positions(class_names: Sequence[str]) -> list[int]:
    """The position of each class.

    Raises:
        BackboneError: A class is none of ImageNet's.
    """
    found = {name: find(name) for name in class_names}
    strange = [name for name, position in found.items() if position is None]
    if strange:
        raise BackboneError(
            f"These classes are none of ImageNet's 1,000: {', '.join(strange[:5])}.",
            "Name each class folder as ImageNet does (`tabby` or `n02123045`), or "
            "have the head computed in closed form.",
        )
    return [one for name in class_names if (one := found[name]) is not None]


@cache
def _positions() -> dict[str, int]:
    known = {synset: position for position, (synset, _) in enumerate(_classes())}
    often = Counter(_plain(label) for _, label in _classes())
    for position, (_, label) in enumerate(_classes()):
        if often[_plain(label)] == 1:
            known[_plain(label)] = position
    return known


@cache
def _classes() -> tuple[tuple[str, str], ...]:
    """Synset and label of each class."""
    content = json.loads(_CLASSES.read_text("utf-8"))
    return tuple((synset, label) for synset, label in content.values())


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")
