"""A finished run of the backbone `tiny`, made without training."""

import json
from functools import lru_cache
from pathlib import Path

import keras

from tests import tiny
from tests.pictures import make_pictures
from transfer import workspace
from transfer.backbones import graph
from transfer.classifier import model as classifier
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.features import speeds
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus

CLASSES = {"cat": 12, "dog": 12, "fox": 12}


def finished_run(folder: Path, fastest: str = "openvino") -> tuple[Run, keras.Model]:
    """A completed run on a new dataset `pets`, and its model of random weights.

    Args:
        folder: Where the dataset's pictures are made.
        fastest: The engine that counts as the fastest here.
    """
    make_pictures(folder / "pets", CLASSES)
    revision = importer.import_path(folder / "pets", "pets")
    config = TrainConfig.of(
        dataset="pets",
        revision=revision.id,
        backbone=tiny.NAME,
        weights="random",
        image_size=32,
    )
    rates = {"keras": 1.0, "openvino": 1.0, fastest: 2.0}
    speeds.rates_record(config.backbone, (32, 32)).write_text(json.dumps(rates))
    model = _model()
    store = Store()
    run = store.create(config, "tiny")
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    model.save(workspace.folder("runs", run.id) / "model.keras")
    result = {"val_accuracy": 0.5, "class_names": list(revision.class_names)}
    ended = store.finish(run.id, JobStatus.COMPLETED, result)
    store.close()
    return ended, model


@lru_cache(maxsize=1)
def _model() -> keras.Model:
    backbone = graph.build(tiny.NAME, image_size=(32, 32))
    head = classifier.head("linear", tiny.CHANNELS, len(CLASSES), seed=0)
    return classifier.assemble(classifier.add_pooling(backbone, (1, 1)), head)
