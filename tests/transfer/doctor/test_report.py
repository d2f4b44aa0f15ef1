from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.pictures import make_pictures
from transfer.datasets import editing, library
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.doctor import report
from transfer.doctor.finding import Finding, Kind, show


@pytest.fixture
def pets(workspace: Path, tmp_path: Path) -> Revision:
    make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    return importer.import_path(tmp_path / "pets", "pets")


def finding(made: Revision, kind: Kind, places: Sequence[int]) -> Finding:
    images = show(made, [made.images[at] for at in places])
    return Finding(kind=kind, images=images, certainty=0.9, says="It is so.")


def test_standing__of_the_revision_that_was_looked_at(pets: Revision) -> None:
    assert report.standing(pets) is None
    report.keep(pets, [finding(pets, "dark", [1])])
    found = report.standing(pets)
    assert found == report.Standing([finding(pets, "dark", [1])], is_new=True)


def test_standing__what_was_mended_since_is_left_away(pets: Revision) -> None:
    report.keep(
        pets,
        [
            finding(pets, "label", [0]),
            finding(pets, "label", [1]),
            finding(pets, "copy", [0, 2]),
            finding(pets, "copy", [0, 2, 3]),
            finding(pets, "group", [0, 5]),
            finding(pets, "few", []),
        ],
    )
    editing.move("pets", [pets.images[0].sha256], "dog")
    found = report.standing(library.load("pets"))
    assert found is not None and not found.is_new
    left = [(one.kind, len(one.images)) for one in found.findings]
    assert left == [("label", 1), ("copy", 2), ("few", 0)]


def test_read__a_damaged_report_counts_as_none(pets: Revision) -> None:
    report.keep(pets, [])
    assert report.read(pets) == []
    report._path("pets", pets.id).write_text('{"findings": [1]}')
    assert report.read(pets) is None


def test_request__a_table_lies_beside_the_reports(pets: Revision) -> None:
    words = report.request(pets, "", b"file,who\n", "who").words
    option, path, column = words[-3:]
    assert (option, column) == ("--groups", "who")
    assert Path(path).read_bytes() == b"file,who\n"
    assert Path(path).parent.parent == library.folder_of("pets")
