"""`python -m transfer imagenet`, as the page Data asks for it."""

from pathlib import Path

import pytest

from tests import jobs_made, tiny
from tests.pictures import make_pictures
from tests.transfer.advice.test_ask_imagenet import source
from transfer.__main__ import main
from transfer.advice import imagenet_names
from transfer.datasets.ingest import importer
from transfer.store.runs import Store
from transfer.store.status import JobStatus

__all__ = ["source"]


@pytest.mark.usefixtures("source")
def test_imagenet__a_job_after_which_the_answers_are_kept(
    workspace: Path, tmp_path: Path
) -> None:
    make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    revision = importer.import_path(tmp_path / "pets", "pets", val=0.25)
    request = imagenet_names.request(revision, tiny.NAME)
    jobs_made.waiting(request)
    assert jobs_made.carry_out(request.kind, request.subject) == 0
    job = Store().find(request.kind, request.subject)
    assert job and job.status is JobStatus.COMPLETED
    assert job.progress == {"doing": "ask", "done": 8, "of": 8}
    said = imagenet_names.kept_names(revision, tiny.NAME)
    assert said and [one.class_name for one in said.classes] == ["cat", "dog"]


def test_imagenet__a_wrong_name_is_told_before_keras_is_loaded(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["imagenet", "--dataset", "nothing", "--json"]) == 2
    assert "There is no dataset named" in capsys.readouterr().out
