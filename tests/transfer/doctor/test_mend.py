from pathlib import Path

import pytest

from tests.pictures import make_pictures
from transfer.datasets import editing, history, library
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.doctor import mend
from transfer.doctor.finding import Remedy


@pytest.fixture
def pets(workspace: Path, tmp_path: Path) -> Revision:
    make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4, "fox": 2})
    return importer.import_path(tmp_path / "pets", "pets", val=0)


def remedy(does: str, target: str, *who: str) -> Remedy:
    return Remedy(does=does, says="", targets={target: who})  # type: ignore[arg-type]


def test_carry_out__several_remedies_are_one_revision(pets: Revision) -> None:
    cat, other, dog, _ = (pets.images[at].sha256 for at in (0, 1, 4, 5))
    made = mend.carry_out(
        "pets",
        [
            remedy("move", "dog", cat),
            remedy("split", "val", other),
            remedy("leave out", "A copy.", dog),
        ],
    )
    now = {image.sha256: image for image in (*made.images, *made.left_out)}
    assert made.class_names[now[cat].label] == "dog"
    assert now[other].split == "val"
    assert now[dog].left_out == "A copy."
    assert "moved 1 to another class" in made.says and "left 1 out" in made.says
    assert history.undo("pets") == pets


def test_carry_out__what_was_left_out_meanwhile_stays_so(pets: Revision) -> None:
    cat = pets.images[0].sha256
    editing.leave_out("pets", [cat], "Dark")
    before = library.load("pets")
    assert mend.carry_out("pets", [remedy("move", "dog", cat)]) == before


def test_carry_out__classes_are_merged(pets: Revision) -> None:
    made = mend.carry_out("pets", [remedy("merge", "dog", "cat", "dog")])
    assert made.class_names == ("dog", "fox")
