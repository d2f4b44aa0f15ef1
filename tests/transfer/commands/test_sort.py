"""`python -m transfer sort`, as a page asks for it and as a person does."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import jobs_made, tiny
from tests.pictures import make_pictures
from transfer.__main__ import main
from transfer.datasets import library
from transfer.datasets.ingest import importer
from transfer.pile import asked, suggest, waiting
from transfer.prediction.answers import Answer

pytestmark = pytest.mark.usefixtures("tiny", "workspace")
TINY = ("--backbone", tiny.NAME, "--weights", "random")


@pytest.fixture
def loose(tmp_path: Path, workspace: Path) -> Path:
    """Pictures without labels, for the dataset `pets`."""
    pets = make_pictures(tmp_path / "pets", {"cat": 6, "dog": 6})
    importer.import_path(pets, "pets", val=0.0)
    return make_pictures(tmp_path / "loose", {"a": 8, "b": 8}, seed=5)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["sort", "pets", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_sort__from_the_pile_into_the_dataset(
    loose: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = said(capsys, str(loose), *TINY)
    assert (found["new"], found["waiting"], found["sorted"]) == (16, 16, 0)
    assert sum(len(one["pictures"]) for one in found["groups"]) == 16
    assert {one["suggestion"] for one in found["groups"]} <= {"cat", "dog"}
    first = found["groups"][0]
    found = said(capsys, "--group", str(first["group"]), "--to", "cat")
    assert found["sorted"] == len(first["pictures"])
    found = said(capsys, "--back")
    assert found["sorted"] == 0
    found = said(capsys, "--pictures", "a/a_0.png", "b/b_0.png", "--to", "dog")
    assert (found["waiting"], found["sorted"]) == (14, 2)
    found = said(capsys, "--finish")
    assert found["says"] == "Added 2 to dog." and found["waiting"] == 14
    assert found["revision"] == library.load("pets").id


def test_sort__with_the_answers_of_a_run_as_a_job(loose: Path) -> None:
    answers = [Answer(path="a/a_0.png", ranking=[("dog", 0.9), ("cat", 0.1)])]
    request = asked.request("pets", loose, answers)
    jobs_made.waiting(request._replace(words=(*request.words, *TINY)))
    assert jobs_made.carry_out(request.kind, request.subject) == 0
    pile = waiting.read("pets")
    (only,) = pile.pictures
    assert only.entry.path == "a/a_0.png"
    (group,) = suggest.suggest(pile).groups
    assert (group.suggestion, group.certainty) == ("dog", 0.9)


def test_sort__wrong_use_is_said(
    loose: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sort", "pets", "--group", "1"]) == 2
    assert "need --to CLASS" in capsys.readouterr().err
    assert main(["sort", "pets", "--group", "1", "--to", "cat"]) == 2
    assert "There is no group 1 to be sorted. There are: none." in (
        capsys.readouterr().err
    )
