"""What the doctor finds, as data: pages and the command line show it alike."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from transfer.datasets.revision import Image, Revision

Kind = Literal[
    "label",
    "copy",
    "group",
    "shortcut",
    "unreadable",
    "constant",
    "dark",
    "light",
    "blurred",
    "tiny",
    "odd",
    "animated",
    "few",
    "imbalance",
    "inside",
]
Action = Literal["move", "split", "leave out", "merge"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Remedy:
    """Something that can be done about a finding, with one click.

    Attributes:
        does: `move` to a class, put into a `split`, `leave out`, or `merge` classes.
        says: What it does, in words for the user.
        targets: SHA-256 of images by the class or split that they come to, or by the
            reason why they are left out; of a merge, names of classes by the new one.
    """

    does: Action
    says: str
    targets: Mapping[str, tuple[str, ...]]

    def to_json(self) -> dict[str, Any]:
        """Plain data, the arguments of an equal one."""
        return {
            "does": self.does,
            "says": self.says,
            "targets": {target: list(who) for target, who in self.targets.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Remedy":
        """The remedy that `to_json` wrote."""
        targets = {target: tuple(who) for target, who in data["targets"].items()}
        return cls(does=data["does"], says=data["says"], targets=targets)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """An image of a finding, as it is shown.

    Attributes:
        sha256: Hash of the file; empty where the import passed it over.
        path: Its path as it is shown.
        class_name: Its class; empty where it is in none.
        split: Its split; empty where it is in none.
    """

    sha256: str
    path: str
    class_name: str
    split: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something that may be wrong.

    Attributes:
        kind: What it is.
        images: The images that it is about, those that show it best first.
        certainty: How sure it is, in [0, 1].
        says: What it is, and what it does to the figures, in words for the user.
        remedies: What can be done about it, the best first.
    """

    kind: Kind
    images: tuple[Shown, ...]
    certainty: float
    says: str
    remedies: tuple[Remedy, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back."""
        return {
            "kind": self.kind,
            "images": [asdict(image) for image in self.images],
            "certainty": round(self.certainty, 4),
            "says": self.says,
            "remedies": [remedy.to_json() for remedy in self.remedies],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Finding":
        """The finding that `to_json` wrote."""
        return cls(
            kind=data["kind"],
            images=tuple(Shown(**image) for image in data["images"]),
            certainty=data["certainty"],
            says=data["says"],
            remedies=tuple(Remedy.from_json(one) for one in data["remedies"]),
        )


def show(revision: Revision, images: Iterable[Image]) -> tuple[Shown, ...]:
    """Images of a revision, as findings show them."""
    return tuple(
        Shown(
            sha256=image.sha256,
            path=image.path,
            class_name=revision.class_names[image.label],
            split=image.split,
        )
        for image in images
    )


def leave_out(images: Iterable[Image], reason: str, says: str = "") -> Remedy:
    """The remedy that leaves images out."""
    hashes = tuple(image.sha256 for image in images)
    several = "Leave it out" if len(hashes) == 1 else f"Leave out all {len(hashes):,}"
    return Remedy(does="leave out", says=says or several, targets={reason: hashes})


def surest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sorted by certainty; of equal ones that with the most images first."""
    return sorted(findings, key=lambda one: (-one.certainty, -len(one.images)))
