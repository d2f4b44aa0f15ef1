"""What a folder or zip would become, before anything of it is copied."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from transfer.datasets.ingest import listing
from transfer.datasets.ingest.layouts import Layout, Reading
from transfer.datasets.ingest.sources import open_source
from transfer.datasets.revision import Kind, PassedOver, Split

#: What was passed over that is listed; the rest is counted.
LISTED = 200


@dataclass(frozen=True, kw_only=True)
class Preview:
    """How a folder or zip is understood.

    Attributes:
        layout: Which folders are classes and which are splits.
        splits: What the folders that stand for splits are, by their names; None for
            those that are left out.
        counts: Pictures by class name, then by given split; None for no split.
        passed_over: The first of what is not taken in, and why.
        left: How much is not taken in.
        notes: What is worth a look, a sentence each.
        code_page: In which names in a zip are written; empty where they say it.
    """

    layout: Layout
    splits: Mapping[str, Split | None]
    counts: Mapping[str, Mapping[Split | None, int]]
    passed_over: tuple[PassedOver, ...]
    left: int
    notes: tuple[str, ...]
    code_page: str

    @property
    def pictures(self) -> int:
        """How many pictures are taken in."""
        return sum(sum(one.values()) for one in self.counts.values())


def preview(path: Path, reading: Reading, kind: Kind = "images") -> Preview:
    """What importing the folder or zip would make of it; only names are looked at.

    Raises:
        DatasetError: The folder or zip cannot become a dataset.
    """
    with open_source(path, reading.code_page, kind) as source:
        found = listing.read_index(source, reading)
    return Preview(
        layout=found.layout,
        splits=found.splits,
        counts=found.counts(),
        passed_over=found.passed_over[:LISTED],
        left=len(found.passed_over),
        notes=found.notes,
        code_page=source.code_page,
    )
