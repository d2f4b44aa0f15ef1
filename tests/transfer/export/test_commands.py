"""`export` and `script` on the command line, and exports as jobs."""

import json
import zipfile
from pathlib import Path

import pytest

from tests import jobs_made
from tests.transfer.test_main import run
from transfer.export import orders
from transfer.store import files
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus


def test_export__writes_the_bundle_and_its_zip(finished: Run, tmp_path: Path) -> None:
    output = tmp_path / "out" / "pets"
    options = ("--format", "onnx", "--output", str(output), "--zip")
    told = run("export", finished.id, *options)
    assert told["run"] == finished.id
    assert told["parity"]["agrees"]
    assert (output / "model.onnx").is_file()
    assert json.loads((output / "model.json").read_text("utf-8"))["run"] == finished.id
    with zipfile.ZipFile(told["zip"]) as archive:
        assert "pets/verify.py" in archive.namelist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "onyx"], "There is no format 'onyx'"),
        (["--format", "onnx", "--quantize", "int8"], "not offered with"),
        (["--format", "litert", "--quantize", "int4"], "not offered with"),
    ],
)
def test_export__wrong_use_is_explained(
    finished: Run, tmp_path: Path, options: list[str], message: str
) -> None:
    output = ("--output", str(tmp_path / "new"))
    answer = run("export", finished.id, *options, *output, status=2)
    assert message in answer["error"]["message"]


def test_script__is_written(finished: Run, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    told = run("script", finished.id, "--output", str(path))
    assert told["lines"] == len(path.read_text("utf-8").splitlines())
    compile(path.read_text("utf-8"), "train.py", "exec")


def test_export__as_a_job_tells_its_steps_and_takes_the_place_of_an_earlier_one(
    finished: Run,
) -> None:
    request = orders.request(finished, "onnx", "none")
    earlier = files.export(finished.id, "onnx", "none") / "earlier.zip"
    earlier.parent.mkdir(parents=True)
    earlier.write_bytes(b"zip")
    jobs_made.waiting(request)
    assert jobs_made.carry_out(request.kind, request.subject) == 0
    job = Store().find(request.kind, request.subject)
    assert job and job.status is JobStatus.COMPLETED
    assert job.result["parity"]["agrees"]
    assert job.progress["step"] == job.progress["steps"]
    path = orders.archive(request.subject)
    assert not earlier.exists()
    with zipfile.ZipFile(path) as archive:
        inside = archive.namelist()
    assert f"{path.stem}/model.onnx" in inside
    assert not [name for name in inside if "__pycache__" in name]
