"""`python -m transfer enough`, as a page asks for it and as a person does."""

import json
from pathlib import Path

import pytest

from tests import jobs_made, tiny
from tests.pictures import make_pictures
from transfer import workspace
from transfer.__main__ import main
from transfer.advice import enough
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision

pytestmark = pytest.mark.usefixtures("tiny", "workspace")
TINY = ("--backbone", tiny.NAME, "--weights", "random")


@pytest.fixture
def pets(tmp_path: Path, workspace: Path) -> Revision:
    make_pictures(tmp_path / "pets", {"cat": 12, "dog": 12})
    return importer.import_path(tmp_path / "pets", "pets", val=0.0)


def test_enough__says_what_twice_as_many_bring(
    pets: Revision, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["enough", "pets", *TINY, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["dataset"] == "pets" and said["images"] == 24
    assert said["says"].startswith(("Twice as many images", "Enough:"))
    assert [one["name"] for one in said["classes"]] == ["cat", "dog"]
    assert said["points"][-1]["images_per_class"] == pytest.approx(9.6)
    kept = enough.read(pets)
    assert kept and enough.to_json(kept)["twice"] == said["twice"]


@pytest.mark.parametrize("word", ["enough", "doctor"])
def test_enough__and_the_doctor_resize_as_they_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    make_pictures(tmp_path / "long", {"cat": 6, "dog": 6}, (24, 60))
    importer.import_path(tmp_path / "long", "long", val=0.0)
    assert main([word, "long", *TINY, "--resizing", "crop", "--json"]) == 0
    kept = [one.name for one in workspace.folder("features").glob("tiny-pooling-*")]
    assert kept and all(one.endswith("-crop") for one in kept)
    assert main([word, "long", "--resizing", "squeeze"]) == 2
    assert "squeeze" in capsys.readouterr().err


def test_enough__a_job_of_a_page(pets: Revision) -> None:
    request = enough.request(pets)
    jobs_made.waiting(request._replace(words=(*request.words, *TINY)))
    assert jobs_made.carry_out(request.kind, request.subject) == 0
    assert enough.read(pets)


def test_enough__too_few_images_are_no_failure_of_the_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_pictures(tmp_path / "few", {"cat": 2, "dog": 2})
    importer.import_path(tmp_path / "few", "few", val=0.0)
    assert main(["enough", "few", *TINY]) == 1
    assert "It takes two classes and 4 examples of each" in capsys.readouterr().err
