"""`python -m transfer doctor`, as a page asks for it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import jobs_made, tiny
from tests.transfer.doctor.photographs import photograph
from transfer.__main__ import main
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.doctor import report
from transfer.processes import environment
from transfer.store.runs import Store
from transfer.store.status import JobStatus

pytestmark = pytest.mark.usefixtures("tiny", "workspace")


@pytest.fixture
def made(tmp_path: Path, workspace: Path) -> Revision:
    """Two classes, one with a picture twice: as it is, and smaller."""
    for label, name in enumerate(("left", "right")):
        (tmp_path / name).mkdir()
        for at in range(25):
            picture = photograph(100 * label + at, 64)
            picture.save(tmp_path / name / f"{at}.png")
    photograph(7, 64).resize((50, 50)).save(tmp_path / "right" / "again.png")
    (tmp_path / "left" / "damaged.png").write_bytes(b"\x89PNG\r\n")
    return importer.import_path(tmp_path, "made")


def words(made: Revision) -> list[str]:
    return ["doctor", "made", "--backbone", tiny.NAME, "--weights", "random"]


def test_doctor__says_exactly_what_is_agreed(
    made: Revision, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words(made), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [*said] == ["findings"]
    assert all(
        [*one] == ["kind", "images", "certainty", "says", "remedies"]
        for one in said["findings"]
    )
    certainties = [one["certainty"] for one in said["findings"]]
    assert certainties == sorted(certainties, reverse=True)
    by_kind = {one["kind"]: one for one in said["findings"]}
    copy = by_kind["copy"]
    assert {one["path"] for one in copy["images"]} == {"left/7.png", "right/again.png"}
    assert all(
        [*one] == ["sha256", "path", "class_name", "split"] for one in copy["images"]
    )
    assert by_kind["unreadable"]["images"][0]["path"] == "left/damaged.png"
    assert [one.to_json() for one in report.read(made) or []] == said["findings"]


def test_import_doctor__in_a_process_that_has_imported_nothing() -> None:
    code = "from transfer.doctor.begin import import_doctor; import_doctor()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_doctor__a_job_that_tells_how_far_it_is(made: Revision) -> None:
    request = report.request(made, tiny.NAME)
    assert report.read(made) is None
    request = request._replace(words=(*request.words, "--weights=random"))
    jobs_made.waiting(request)
    assert jobs_made.carry_out(request.kind, request.subject) == 0
    store = Store()
    job = store.find(request.kind, request.subject)
    store.close()
    assert job and job.status is JobStatus.COMPLETED
    assert job.result["findings"] == len(report.read(made) or [])
    assert job.progress == {"doing": "labels", "done": 51, "of": 51}
