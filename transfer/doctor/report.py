"""What the doctor found in a revision, kept beside it; and how it is asked to look."""

import json
from collections.abc import Sequence
from pathlib import Path

from transfer import workspace
from transfer.datasets.revision import Revision
from transfer.doctor.finding import Finding
from transfer.runs.requests import Request


def request(revision: Revision, backbone: str = "") -> Request:
    """A look of the doctor at this revision; one at a time.

    Args:
        revision: The dataset.
        backbone: Name of the one whose features it looks at; the best at hand if empty.
    """
    chosen = (f"--backbone={backbone}",) if backbone else ()
    words = ("doctor", revision.dataset, "--revision", revision.id, *chosen)
    return Request("doctor", revision.id, words)


def read(revision: Revision) -> list[Finding] | None:
    """What was found in this revision; None if nobody looked, or it is damaged."""
    try:
        data = json.loads(_path(revision).read_bytes())
        return [Finding.from_json(one) for one in data["findings"]]
    # That of another version has other fields, and counts as none.
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def keep(revision: Revision, findings: Sequence[Finding]) -> None:
    """Keeps it until the dataset is deleted.

    Raises:
        StorageError: The workspace cannot be written.
    """
    content = json.dumps({"findings": [one.to_json() for one in findings]})
    workspace.write_atomically(_path(revision), content.encode())


def _path(revision: Revision) -> Path:
    folder = workspace.home() / "datasets" / revision.dataset / "doctor"
    return folder / f"{revision.id}.json"
