"""Which backbones to rank for a dataset, and what came of it, without Keras."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from transfer import workspace
from transfer.backbones import catalogue
from transfer.datasets.decoding import Resizing
from transfer.datasets.revision import Revision
from transfer.runs.requests import Request

#: Training images that a ranking or a sweep looks at.
MOST_IMAGES = 1000


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """How a backbone is expected to do on a dataset, with everything frozen.

    Attributes:
        backbone: Name in the catalogue.
        weights: Where its parameters come from.
        image_size: Height and width in pixels.
        images: Number of training images that were looked at.
        accuracy: Expected accuracy of a linear head, in [0, 1].
        low: Lower end of its 95 % interval.
        high: Upper end.
        log_me: LogME in nats for each image; larger is better.
        images_per_second: Of the fastest engine on this machine.
        seconds: That the candidate took, when its features were computed.
        parameters: Number of the backbone's weights.
    """

    backbone: str
    weights: str
    image_size: int
    images: int
    accuracy: float
    low: float
    high: float
    log_me: float
    images_per_second: float
    seconds: float
    parameters: int


class PassedOver(NamedTuple):
    """A backbone that could not be ranked, and why, in words for the user."""

    backbone: str
    reason: str


def request(
    revision: Revision,
    backbones: Sequence[str],
    weights: str,
    resizing: Resizing = "stretch",
) -> Request:
    """A ranking of backbones for this revision; one at a time."""
    dataset = f"--dataset={revision.dataset}", "--revision", revision.id
    wanted = "--backbones", ",".join(backbones), f"--weights={weights}"
    how = "--resizing", resizing
    return Request(
        "rank", revision.id, ("rank", *dataset, *wanted, *how), revision.dataset
    )


def kept_candidate(
    revision: Revision,
    name: str,
    weights: str,
    size: int,
    resizing: Resizing = "stretch",
) -> Candidate | None:
    """What an earlier ranking found."""
    try:
        path = _record(revision, name, weights, size, resizing)
        # A record of another version has other fields, and counts as none.
        return Candidate(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def all_kept(
    revision: Revision, weights: str, resizing: Resizing = "stretch"
) -> list[Candidate]:
    """All that earlier rankings found at the backbones' own sizes, best first."""
    found = [
        kept_candidate(revision, one.name, weights, one.native_size, resizing)
        for one in catalogue.all_for(revision.kind).values()
    ]
    return best_first(one for one in found if one)


def keep(
    revision: Revision, candidate: Candidate, resizing: Resizing = "stretch"
) -> None:
    """Keeps it for the next time.

    Raises:
        StorageError: The workspace cannot be written.
    """
    kind = candidate.backbone, candidate.weights, candidate.image_size
    path = _record(revision, *kind, resizing)
    workspace.write_atomically(path, json.dumps(asdict(candidate)).encode())


def best_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Sorted by expected accuracy, then by LogME."""
    return sorted(candidates, key=lambda one: (-one.accuracy, -one.log_me))


def _record(
    revision: Revision, name: str, weights: str, size: int, resizing: Resizing
) -> Path:
    # Weights may be the path of a file, which makes no file name.
    source = hashlib.sha256(weights.encode()).hexdigest()[:8]
    file = f"{name}-{weights if weights.isalnum() else source}-{size}"
    if resizing != "stretch":  # older records have no word for it
        file += f"-{resizing}"
    return workspace.home() / "rankings" / revision.id / f"{file}.json"
