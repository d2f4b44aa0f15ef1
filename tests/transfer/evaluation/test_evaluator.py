"""Evaluation of tiny models: real pictures, real training, real files."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.pictures import delete_dataset, make_pictures
from transfer import __main__
from transfer.commands import evaluate
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.errors import DatasetError, ImageError, NotFoundError, StorageError
from transfer.evaluation import evaluator, image_map, results, robustness
from transfer.evaluation.results import Evaluation
from transfer.features import shard
from transfer.features.extract import Extractor
from transfer.prediction import models
from transfer.store import files
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.upkeep import trash
from transfer.worker import __main__ as worker

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture(scope="module")
def made(tiny: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a dataset of three colours and a run that a worker has done."""
    home = tmp_path_factory.mktemp("made")
    folder = make_pictures(home / "pets", {"cat": 40, "dog": 40, "owl": 40})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(home / "workspace"))
        trained(importer.import_path(folder, "pets", val=0.3, test=0.2))
    return home / "workspace"


@pytest.fixture
def pets(workspace: Path, made: Path) -> Revision:
    """The dataset, in a workspace of this test's own."""
    shutil.copytree(made, workspace)
    return library.load("pets")


def settings(revision: Revision) -> TrainConfig:
    return TrainConfig.of(
        dataset="pets",
        revision=revision.id,
        backbone="tiny",
        weights="random",
        image_size=32,
        method="instant",
        freeze="all",
    )


def trained(revision: Revision) -> Run:
    """A run that a worker does in this very process."""
    store = Store()
    run = store.create(settings(revision))
    store.claim_next("here", {("run",): 9})
    worker.work(store, store.begin(run.id))
    return store.get(run.id)


@pytest.fixture
def finished(pets: Revision) -> Run:
    """The run that is done."""
    return Store().runs()[0]


def evaluated(run: Run, split: str = "val") -> Evaluation:
    found = results.load(run.id, split)  # type: ignore[arg-type]
    assert found
    return found


def test_evaluate__on_a_cluster_a_full_disk_ends_nothing(
    finished: Run, pets: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(shard, "pays", lambda views: True)
    monkeypatch.setattr(Extractor, "compute", full)
    told: list[str] = []
    model = models.load_keras(finished)
    found = evaluator.Evaluator(finished, model, told.append).evaluate("test")
    assert len(found.labels) == len(pets.of_split("test"))
    assert "goes on without the cache" in " ".join(told)


def test_work__evaluates_val_at_the_end(finished: Run, pets: Revision) -> None:
    assert finished.status is JobStatus.COMPLETED
    found = evaluated(finished)
    val = pets.of_split("val")
    assert found.sha256.tolist() == [image.sha256 for image in val]
    assert found.paths.tolist() == [image.path for image in val]
    assert found.labels.tolist() == [image.label for image in val]
    assert finished.result["temperature"] == found.temperature
    assert found.figures.top_1.value == pytest.approx(finished.result["val_accuracy"])
    assert found.confusion.sum() == len(val) == found.figures.images

    # What prediction says of the same files, with the temperature in it.
    paths = [library.image_path(image.sha256) for image in val]
    said = models.load(finished.id).probabilities([*paths])
    np.testing.assert_allclose(found.shown, said, atol=1e-4)

    # The details come after the run has ended.
    assert found.robustness is None
    job = Store().find("evaluate", f"{finished.id}-val")
    assert job and job.priority < 0
    asked(finished)
    found = evaluated(finished)
    mapped = results.load(finished.id, "all")
    assert mapped and set(mapped.sha256) == {one.sha256 for one in pets.images}
    assert mapped.map_places.shape == (len(pets.images), 2)
    assert np.isfinite(mapped.map_places).all()
    tried = found.robustness
    assert tried and tried.images == len(val)
    assert tried.unspoilt.value == found.figures.top_1.value
    assert set(tried.accuracy) == set(robustness.KINDS)
    for name, points in tried.accuracy.items():
        assert tuple(s for s, _ in points) == robustness.KINDS[name].strengths
        assert all(one.low <= one.value <= one.high for _, one in points)


def asked(run: Run, *options: str) -> dict[str, Any]:
    """What the command answers, in this very process."""
    args = __main__.parser().parse_args(["evaluate", run.id, *options])
    return evaluate.evaluate(args)


def test_evaluate__another_split(finished: Run, pets: Revision) -> None:
    summary = asked(finished, "--split", "test")
    assert summary["images"] == len(pets.of_split("test"))
    assert summary["temperature"] == finished.result["temperature"]
    assert set(summary["classes"]) == {"cat", "dog", "owl"}
    assert evaluated(finished, "test").summary() == summary


def test_evaluate__old_run_gets_its_temperature(finished: Run) -> None:
    store = Store()
    store.amend(finished.id, temperature=1.25)
    files.evaluation(finished.id, "val").unlink()
    asked(finished)
    again = store.get(finished.id).result
    assert again == finished.result


def test_work__a_broken_evaluation_fails_no_run(
    pets: Revision, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no answers today")

    monkeypatch.setattr(evaluator.Evaluator, "evaluate", broken)
    run = trained(pets)
    assert run.status is JobStatus.COMPLETED
    assert results.load(run.id, "val") is None
    assert "no answers today" in capsys.readouterr().err


def test_evaluate__says_what_is_wrong(finished: Run, pets: Revision) -> None:
    model = models.load_keras(finished)
    made = evaluator.Evaluator(finished, model, print)
    made._revision = replace(pets, images=pets.of_split("train"))
    with pytest.raises(DatasetError, match="has no test images.*another split"):
        made.evaluate("test")
    for image in pets.of_split("test"):
        library.image_path(image.sha256).unlink()
    with pytest.raises(ImageError, match="does not exist"):
        evaluator.Evaluator(finished, model, print).evaluate("test")
    delete_dataset("pets")
    with pytest.raises(NotFoundError, match='no dataset named "pets"'):
        evaluator.Evaluator(finished, model, print)


def test_robustness__a_slow_backbone_is_tried_only_when_asked(
    finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluator, "_SECONDS", 1e-9)
    model = models.load_keras(finished)
    found = evaluator.evaluate(finished, model, "test", print)
    assert found.robustness and "was left out" in found.robustness.skipped
    asked(finished, "--split", "test", "--thorough")
    tried = evaluated(finished, "test").robustness
    assert tried and tried.images == len(found.labels) and not tried.skipped


def test_save__a_deleted_run_does_not_come_back(finished: Run) -> None:
    found = evaluated(finished)
    trash.remove(Store(), trash.put_run(Store(), finished.id).id)
    with pytest.raises(NotFoundError):
        results.save(found)
    assert not files.evaluation(finished.id, "val").exists()


def test_load__nothing_or_a_damaged_file_is_none(workspace: Path) -> None:
    assert results.load("0" * 8, "val") is None
    path = workspace / "runs" / "abc" / "evaluation-val.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half of it")
    assert results.load("abc", "val") is None


def test_threshold__is_kept(workspace: Path) -> None:
    assert results.threshold("abc") == 0.0
    results.keep_threshold("abc", 0.62)
    assert results.threshold("abc") == 0.62


@pytest.mark.parametrize("images", [0, 1, 2, 9, 40])
def test_layout__takes_any_number_of_images(images: int) -> None:
    features = np.random.default_rng(0).normal(size=(images, 16)).astype(np.float32)
    places = image_map.layout(features)
    assert places.shape == (images, 2)
    assert np.isfinite(places).all()


def test_layout__what_is_alike_lies_together() -> None:
    random = np.random.default_rng(0)
    group = np.arange(60) % 3
    features = random.normal(0, 0.1, (60, 8)) + 5 * np.eye(8)[group]
    places = image_map.layout(features.astype(np.float32))
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    np.testing.assert_array_equal(group[apart.argmin(1)], group)


def test_chosen__is_bounded() -> None:
    assert image_map.choose(3).tolist() == [0, 1, 2]
    assert len(image_map.choose(100, most=7)) == 7
    many = image_map.choose(10_000)
    assert len(many) == image_map.MOST
    assert (np.diff(many) > 0).all()


def test_evaluation__grey_pictures_are_taken(finished: Run, tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    Image.new("L", (40, 30), 90).save(path)
    assert models.load(finished.id).probabilities([path]).shape == (1, 3)
