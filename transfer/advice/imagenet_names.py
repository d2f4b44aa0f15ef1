"""What a source model calls the images of each class, before any training.

A source model can only answer with the 1,000 classes of ImageNet. Where a dataset has
others, it shows what a new head is for. Keras is not needed here: `ask_imagenet` asks.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from transfer import workspace
from transfer.backbones import catalogue
from transfer.datasets.revision import Revision
from transfer.runs.requests import Request


class Name(NamedTuple):
    """What the source model calls some images of a class.

    Attributes:
        name: A class of ImageNet.
        share: Of the class's images that get this name, in [0, 1].
        example: SHA-256 of one of them, the one of which it is surest.
        sure: Probability of the name for that one, in [0, 1].
    """

    name: str
    share: float
    example: str
    sure: float


@dataclass(frozen=True, kw_only=True)
class ClassNames:
    """What the source model calls the images of one class.

    Attributes:
        class_name: The class.
        images: Number of its images that it was asked about.
        own: The class of ImageNet that is called the same; empty where there is none.
        right: Share of the images that it calls so; None where there is none.
        unsure: Share of the images for which no class of ImageNet reaches one half.
        different: Number of different names that it has for them.
        names: The most frequent names, that first.
        doubtful: What it calls the image of which it is least sure, with that image as
            the example.
    """

    class_name: str
    images: int
    own: str
    right: float | None
    unsure: float
    different: int
    names: tuple[Name, ...]
    doubtful: Name


@dataclass(frozen=True, kw_only=True)
class SourceNames:
    """What a source model says of a dataset.

    Attributes:
        backbone: Name in the catalogue.
        images: Number of images that it was asked about.
        translated: Share of val named right where each of ImageNet's names stands for
            the class of the training images that get it most often; None without val.
        guessed: Share of val in the largest class: what one is right in without looking
            at a picture; None without val.
        classes: In label order, without those that it was asked no image of.
    """

    backbone: str
    images: int
    translated: float | None
    guessed: float | None
    classes: tuple[ClassNames, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data, for `from_json`."""
        classes = [
            {
                **asdict(one),
                "names": [name._asdict() for name in one.names],
                "doubtful": one.doubtful._asdict(),
            }
            for one in self.classes
        ]
        return {**asdict(self), "classes": classes}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "SourceNames":
        """What `to_json` wrote."""
        classes = tuple(
            ClassNames(
                **{
                    **one,
                    "names": tuple(Name(**name) for name in one["names"]),
                    "doubtful": Name(**one["doubtful"]),
                }
            )
            for one in data["classes"]
        )
        return cls(**{**data, "classes": classes})


def request(revision: Revision, backbone: str = catalogue.DEFAULT) -> Request:
    """Has a source model asked about the images of a dataset."""
    dataset = f"--dataset={revision.dataset}", "--revision", revision.id
    words = ("imagenet", *dataset, "--backbone", backbone)
    return Request("imagenet", f"{revision.id}-{backbone}", words, revision.dataset)


def kept_names(
    revision: Revision, backbone: str = catalogue.DEFAULT
) -> SourceNames | None:
    """What it said before; None where it was not asked."""
    try:
        return SourceNames.from_json(
            json.loads(_record(revision, backbone).read_text())
        )
    # A record of another version has other fields, and counts as none.
    except (OSError, ValueError, TypeError, KeyError):
        return None


def keep(revision: Revision, said: SourceNames) -> None:
    """Keeps it for the next time.

    Raises:
        StorageError: The workspace cannot be written.
    """
    content = json.dumps(said.to_json()).encode()
    workspace.write_atomically(_record(revision, said.backbone), content)


def _record(revision: Revision, backbone: str) -> Path:
    return workspace.home() / "imagenet" / revision.id / f"{backbone}.json"
