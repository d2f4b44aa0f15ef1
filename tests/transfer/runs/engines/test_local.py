"""Worker processes that were started before there was a run for them."""

import os
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.pictures import make_pictures
from tests.transfer.runs.processes_made import ROOM, taken
from transfer import workspace as folders
from transfer.backbones import graph
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.errors import StorageError
from transfer.runs.engines import local
from transfer.runs.engines.local import SpareWorker
from transfer.store import files
from transfer.store.record import Job
from transfer.store.runs import Store
from transfer.worker import spare

RANK = "-m transfer rank --job {}"


def test_spare_worker__does_the_run_it_is_given(
    store: Store, workspace: Path, tmp_path: Path
) -> None:
    make_pictures(tmp_path / "pets", {"cat": 8, "dog": 8})
    revision = importer.import_path(tmp_path / "pets", "pets")
    config = TrainConfig.of(
        dataset="pets",
        revision=revision.id,
        backbone="mobilenet_v2_035",
        weights="random",
        image_size=32,
        head_epochs=1,
    )
    run = store.create(config)
    claimed = store.claim_next(os.uname().nodename, {("run",): 1})
    assert claimed
    spare = SpareWorker()
    spare.prepare()
    process = spare.start(claimed)
    assert process.wait(PATIENCE) == 0
    ended = store.get(run.id)
    assert ended.status == "completed"
    assert ended.pid == process.pid
    assert "head epoch 1" in files.log("run", run.id).read_text()


def test_spare_worker__has_the_newest_run_s_backbone_ready(
    store: Store, workspace: Path
) -> None:
    config = TrainConfig.of(
        dataset="pets", backbone="mobilenet_v2_035", weights="random", image_size=32
    )
    store.create(config.model_copy(update={"backbone": "gone"}))
    spare.build_ahead()  # nothing that ends the worker
    store.create(config)
    spare.build_ahead()
    ((key, built),) = graph._ahead.items()
    assert key == ("mobilenet_v2_035", "random", (32, 32), config.seed)
    arguments = {"weights": "random", "image_size": (32, 32), "seed": config.seed}
    assert graph.build("mobilenet_v2_035", **arguments) is built  # type: ignore[arg-type]
    assert graph.build("mobilenet_v2_035", **arguments) is not built  # type: ignore[arg-type]


def test_spare_worker__ends_with_the_process_that_keeps_it(workspace: Path) -> None:
    spare = SpareWorker()
    spare.prepare()
    process = spare._process
    assert process and process.stdin
    process.stdin.close()  # what the system does when the server dies
    assert process.wait(PATIENCE) == 0


def test_spare_worker__without_one_a_new_worker_starts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Job] = []
    monkeypatch.setattr(local, "start", begun.append)
    job = taken(store, "run")
    SpareWorker().start(job)
    assert begun == [job]


def test_spare_worker__does_any_job_that_needs_keras(
    store: Store, workspace: Path
) -> None:
    words = ["rank", "--dataset", "gone", "--backbones", "vgg16"]
    store.add("rank", "1", {"words": words})
    job = store.claim_next("here", ROOM)
    assert job
    spare = SpareWorker()
    spare.prepare()
    process = spare.start(job)
    assert process.wait(PATIENCE) == 2
    ended = store.get_job(job.id)
    assert (ended.status, ended.pid) == ("failed", process.pid)
    assert "gone" in ended.error["message"]
    assert "gone" in files.log("rank", job.id).read_text()


def test_start__writes_its_output_to_the_log_from_any_folder(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "transfer").mkdir()
    (tmp_path / "transfer" / "__init__.py").write_text(
        "raise SystemExit('the wrong one')"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", _interpreter_that_tells(tmp_path))
    for kind, words in (("run", "-m transfer.worker {}"), ("rank", RANK)):
        job = taken(store, kind)
        log = files.log(kind, job.id)
        folders.make_folder(log.parent)
        log.write_text("before\n")
        assert local.start(job).wait(PATIENCE) == 0
        before, module, package = log.read_text().splitlines()
        assert (before, module) == ("before", words.format(job.id))
        assert Path(package) == Path(local.__file__).parents[2] / "__init__.py"


def _interpreter_that_tells(folder: Path) -> str:
    """A program that tells its arguments and which `transfer` Python would import."""
    script = folder / "python"
    code = "import transfer; print(transfer.__file__)"
    script.write_text(f'#!/bin/sh\necho "$@"\nexec {sys.executable} -c "{code}"\n')
    script.chmod(0o755)
    return str(script)


def test_start__a_log_that_cannot_be_written(store: Store) -> None:
    job = taken(store)
    files.log("run", job.id).mkdir(parents=True)
    with pytest.raises(StorageError, match="log.txt could not be written"):
        local.start(job)


def test_start__a_command_ends_and_says_so_in_its_job(store: Store) -> None:
    words = ["rank", "--dataset", "gone", "--backbones", "vgg16"]
    store.add("rank", "1", {"words": words})
    job = store.claim_next("here", ROOM)
    assert job
    assert local.start(job).wait(PATIENCE) != 0
    ended = store.get_job(job.id)
    assert ended.status == "failed" and ended.pid
    assert "gone" in ended.error["message"] and ended.error["kind"] == "NotFoundError"
