"""Worker processes that were started before there was a run for them."""

import os
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.pictures import make_pictures
from transfer.backbones import graph
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.runs.engines import local
from transfer.runs.engines.local import SpareWorker
from transfer.store import files
from transfer.store.runs import Store
from transfer.worker import __main__


def test_spare_worker__does_the_run_it_is_given(
    store: Store, workspace: Path, tmp_path: Path
) -> None:
    make_pictures(tmp_path / "pets", {"cat": 8, "dog": 8})
    revision = importer.import_path(tmp_path / "pets", "pets")
    config = TrainConfig.checked(
        dataset="pets",
        revision=revision.id,
        backbone="mobilenet_v2_035",
        weights="random",
        image_size=32,
        head_epochs=1,
    )
    run = store.create(config)
    store.claim_next(os.uname().nodename, {("run",): 1})
    spare = SpareWorker()
    spare.prepare()
    process = spare.start(run.id)
    assert process.wait(PATIENCE) == 0
    ended = store.get(run.id)
    assert ended.status == "completed"
    assert ended.pid == process.pid
    assert "head epoch 1" in files.log("run", run.id).read_text()


def test_spare_worker__has_the_newest_run_s_backbone_ready(
    store: Store, workspace: Path
) -> None:
    config = TrainConfig.checked(
        dataset="pets", backbone="mobilenet_v2_035", weights="random", image_size=32
    )
    store.create(config.model_copy(update={"backbone": "gone"}))
    __main__._build_ahead()  # nothing that ends the worker
    store.create(config)
    __main__._build_ahead()
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


def test_spare_worker__without_one_a_new_worker_is_started(
    store: Store, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(local, "start_worker", started.append)
    SpareWorker().start("abcdef01")
    assert started == ["abcdef01"]
