"""Runs that go on from the model of a finished one."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.errors import ConfigError, NotFoundError
from transfer.runs import continuing
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus


@pytest.fixture
def revision(workspace: Path, tmp_path: Path) -> Revision:
    make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    return importer.import_path(tmp_path / "pets", "pets", val=0.25)


def finished(store: Store, classes: list[str]) -> Run:
    store.create(TrainConfig(dataset="pets", freeze="last:1"), "first")
    run = store.claim_next("here", {("run",): 9})
    assert run
    return store.finish(run.id, JobStatus.COMPLETED, {"class_names": classes})


def test_settings__are_those_of_the_run_with_its_changes(
    store: Store, revision: Revision
) -> None:
    run = finished(store, ["cat", "dog"])
    config = continuing.settings(run, revision, freeze="last:3")
    assert (config.start_from, config.freeze) == (run.id, "last:3")
    assert (config.revision, config.backbone) == (revision.id, run.config.backbone)
    path = continuing.model(store, config, revision)
    assert path and path.parts[-2:] == (run.id, "model.keras")


def test_settings__all_that_does_not_fit_is_named(
    store: Store, revision: Revision
) -> None:
    run = finished(store, ["cat", "cow"])
    with pytest.raises(ConfigError) as caught:
        continuing.settings(run, revision, head="dense1024", image_size=64)
    said = caught.value.message
    assert "its head is linear, not dense1024" in said
    assert "its image_size is the default, not 64" in said
    assert "its classes are cat, cow, not cat, dog" in said


def test_settings__a_backbone_of_earlier_versions(
    store: Store, revision: Revision
) -> None:
    run = finished(store, ["cat", "dog"])
    old = replace(run, config=run.config.model_copy(update={"backbone": "starter"}))
    for changes in ({}, {"backbone": "efficientnet_lite0"}):
        with pytest.raises(ConfigError, match="starter was one of earlier versions"):
            continuing.settings(old, revision, **changes)


def test_settings__a_run_without_a_model(store: Store, revision: Revision) -> None:
    run = store.create(TrainConfig(dataset="pets"), "waiting")
    with pytest.raises(ConfigError, match="waiting is queued and has no model"):
        continuing.settings(run, revision)


def test_model__none_without_a_start(store: Store, revision: Revision) -> None:
    assert continuing.model(store, TrainConfig(dataset="pets"), revision) is None
    config = TrainConfig(dataset="pets", start_from="ghost")
    with pytest.raises(NotFoundError, match="no run 'ghost'"):
        continuing.model(store, config, revision)


def test_config__a_closed_form_starts_from_no_run() -> None:
    with pytest.raises(ConfigError, match="cannot start from the run `abc`"):
        TrainConfig.of(dataset="pets", method="instant", start_from="abc")
