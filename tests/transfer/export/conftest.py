"""A finished run with a tiny real model, made once for all tests of a module."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.patience import PATIENCE
from tests.pictures import make_pictures
from transfer import workspace
from transfer.backbones import graph
from transfer.classifier import model
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.evaluation import metrics, results
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus

#: Height and width in pixels of the tiny models.
SIZE = 64
#: Probability below which the run's answer is "I don't know".
THRESHOLD = 0.9
#: Range of deep grey that the run has kept.
GREY = (1200.0, 1400.0)
CLASSES = {"cat": 12, "dog": 12, "Gänse blümchen": 12}


def tiny_model(
    num_classes: int = 3,
    backbone: str = "mobilenet_v2_035",
    cells: tuple[int, int] = (1, 1),
) -> Any:
    """A classifier whose probabilities differ between pictures."""
    built = graph.build(backbone, image_size=(SIZE, SIZE))
    for layer in built.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(np.full(layer.gamma.shape, 3.0))
    pooled = model.add_pooling(built, cells)
    head = model.head("linear", pooled.output_shape[-1], num_classes, 0)
    return model.assemble(pooled, head)


def made_up_evaluation(run: Run, revision: Revision) -> results.Evaluation:
    """An evaluation of val that is right of three images out of four."""
    val = revision.of_split("val")
    labels = np.array([image.label for image in val])
    said = np.where(np.arange(len(val)) % 4 == 0, (labels + 1) % 3, labels)
    probabilities = np.where(np.eye(3)[said] > 0, 0.6, 0.2).astype(np.float32)
    return results.Evaluation(
        run=run.id,
        split="val",
        class_names=revision.class_names,
        sha256=np.array([image.sha256 for image in val]),
        paths=np.array([image.path for image in val]),
        labels=labels,
        probabilities=probabilities,
        temperature=1.0,
        figures=metrics.figures(probabilities, labels),
    )


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace that all tests of the exports share."""
    return tmp_path_factory.mktemp("export") / "workspace"


@pytest.fixture(scope="session")
def finished(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A completed run on three classes, with random weights."""
    patch = pytest.MonkeyPatch()
    patch.setenv("TRANSFER_HOME", str(home))
    folder = tmp_path_factory.mktemp("pictures")
    make_pictures(folder, CLASSES, (80, 100), extension=".jpg")
    revision = importer.import_path(folder, "pets", val=0.5)
    ended = finish(revision, "my pets")
    results.keep_threshold(ended.id, THRESHOLD)
    results.save(made_up_evaluation(ended, revision))
    patch.undo()
    return ended


def finish(revision: Revision, name: str, **settings: Any) -> Run:
    """A completed run of that name on these images."""
    store = Store()
    config = TrainConfig(
        dataset="pets",
        revision=revision.id,
        backbone="mobilenet_v2_035",
        weights="random",
        image_size=SIZE,
        **settings,
    )
    run = store.create(config, name)
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    tiny_model().save(workspace.folder("runs", run.id) / "model.keras")
    result = {
        "val_accuracy": 0.75,
        "val_loss": 0.5,
        "class_names": list(revision.class_names),
        "grey": GREY,
        "trainable_parameters": 3843,
        "frozen_parameters": 410208,
    }
    ended = store.finish(run.id, JobStatus.COMPLETED, result)
    store.close()
    return ended


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test sees that workspace."""
    monkeypatch.setenv("TRANSFER_HOME", str(home))
    yield


def alone(*command: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """A bundle's program, run where our package cannot be imported."""
    clean = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}
    return subprocess.run(
        [sys.executable, "-I", *command],
        cwd=cwd,
        env={**clean, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
