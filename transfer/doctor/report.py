"""What the doctor found in a revision, kept beside it; and how it is asked to look."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from transfer import workspace
from transfer.datasets import history
from transfer.datasets.decoding import Resizing
from transfer.datasets.revision import Revision
from transfer.doctor.finding import Finding
from transfer.runs.requests import Request


def request(
    revision: Revision,
    backbone: str = "",
    table: bytes = b"",
    column: str = "",
    resizing: Resizing = "stretch",
) -> Request:
    """A look of the doctor at this revision; one at a time.

    Args:
        revision: The dataset.
        backbone: Name of the one whose features it looks at; the best at hand if empty.
        table: Content of a CSV file that has the group of each image; kept until the
            dataset is deleted.
        column: The table's column of groups.
        resizing: How the pictures are resized for the backbone.

    Raises:
        StorageError: The workspace cannot be written.
    """
    words = ["doctor", revision.dataset, "--revision", revision.id]
    if backbone:
        words.append(f"--backbone={backbone}")
    if resizing != "stretch":
        words.append(f"--resizing={resizing}")
    if column:
        name = hashlib.sha256(table).hexdigest()[:16]
        path = _path(revision.dataset, name).with_suffix(".csv")
        workspace.write_atomically(path, table)
        words += ["--groups", str(path), column]
    return Request("doctor", revision.id, tuple(words), revision.dataset)


def read(revision: Revision) -> list[Finding] | None:
    """What was found in this revision; None if nobody looked, or it is damaged."""
    return _read(revision.dataset, revision.id)


def _read(dataset: str, revision: str) -> list[Finding] | None:
    path = _path(dataset, revision)
    try:
        return [*_parse(path, path.stat().st_mtime_ns)]
    # That of another version has other fields, and counts as none.
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


@lru_cache(maxsize=8)
def _parse(path: Path, modified: int) -> tuple[Finding, ...]:
    # Once, and not at every rerun of a page: of 100,000 images it may have megabytes.
    data = json.loads(path.read_bytes())
    return tuple(Finding.from_json(one) for one in data["findings"])


class Standing(NamedTuple):
    """The last findings about a dataset, and which of them still hold.

    Attributes:
        findings: Those of whose images something is as it was.
        is_new: Whether this very revision was looked at, not one before it.
    """

    findings: list[Finding]
    is_new: bool


def standing(revision: Revision) -> Standing | None:
    """What was found in this revision or the last one before it that was looked at.

    What was mended since is left away, so that nobody has to look again after each
    remedy. None if nobody ever looked.
    """
    found = read(revision)
    if found is not None:
        return Standing(found, True)
    parents = {head.id: head.parent for head in history.heads(revision.dataset)}
    earlier = parents.get(revision.id, "")
    while earlier and found is None:
        found = _read(revision.dataset, earlier)
        earlier = parents.get(earlier, "")
    if found is None:
        return None
    now = {
        image.sha256: (revision.class_names[image.label], image.split)
        for image in revision.images
    }
    left = (_still(one, now, revision.class_names) for one in found)
    return Standing([one for one in left if one], False)


def _still(
    finding: Finding, now: Mapping[str, tuple[str, str]], class_names: Sequence[str]
) -> Finding | None:
    """The finding without what was changed since; None if it holds no more."""
    images = tuple(
        one
        for one in finding.images
        if not one.sha256 or now.get(one.sha256) == (one.class_name, one.split)
    )
    merged = {
        name
        for remedy in finding.remedies
        if remedy.does == "merge"
        for names in remedy.targets.values()
        for name in names
    }
    whole = finding.kind in ("group", "copy")
    if not merged <= {*class_names} or whole and len(images) < len(finding.images):
        # Two of three copies are still copies.
        if finding.kind != "copy" or len(images) < 2:
            return None
    if finding.images and not images:
        return None
    return replace(finding, images=images)


def keep(revision: Revision, findings: Sequence[Finding]) -> None:
    """Keeps it until the dataset is deleted.

    Raises:
        StorageError: The workspace cannot be written.
    """
    with workspace.new_file(_path(revision.dataset, revision.id)) as file:
        # One by one: of a million images there may be 100,000.
        file.write(b'{"findings": [')
        for number, one in enumerate(findings):
            file.write((", " * bool(number) + json.dumps(one.to_json())).encode())
        file.write(b"]}")


def _path(dataset: str, revision: str) -> Path:
    return workspace.home() / "datasets" / dataset / "doctor" / f"{revision}.json"
