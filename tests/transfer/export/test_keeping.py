"""What is left of a dataset that was deleted, for the exports of its runs."""

import shutil
from pathlib import Path

import pytest

from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.datasets.ingest import importer
from transfer.errors import NotFoundError, RunError
from transfer.export import bundle, catalogue, keeping, script
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.store.trash import Trashed
from transfer.upkeep import trash


@pytest.fixture
def copied(
    finished: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A workspace of the test's own, with the finished run in it."""
    copy = shutil.copytree(home, tmp_path / "workspace")
    monkeypatch.setenv("TRANSFER_HOME", str(copy))
    return copy


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with nothing in it."""
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path / "workspace"))
    return tmp_path / "workspace"


def delete(one: Trashed) -> None:
    """For good."""
    trash.remove(Store(), one.id)


def delete_dataset() -> None:
    """The pets, for good."""
    delete(trash.put_dataset(Store(), "pets"))


def stored(workspace: Path) -> set[str]:
    """The images that are there."""
    return {path.name for path in workspace.glob("images/*/*")}


def ended(tmp_path: Path, **result: object) -> Run:
    """A run on a small dataset, without the file of its model."""
    folder = make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    revision = importer.import_path(folder, "pets", val=0.5)
    store = Store()
    run = store.create(TrainConfig(dataset="pets", revision=revision.id))
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    return store.finish(run.id, JobStatus.COMPLETED, dict(result))


def test_delete_dataset__its_run_can_still_be_exported(
    finished: Run, copied: Path, tmp_path: Path
) -> None:
    delete_dataset()
    with pytest.raises(NotFoundError):
        library.load("pets")
    order = bundle.Order(run=finished, chosen=catalogue.get("openvino"))
    made = bundle.write(order, tmp_path / "bundle")
    assert made["parity"]["agrees"] and made["parity"]["images"] == 18
    card = (tmp_path / "bundle" / "MODEL_CARD.md").read_text("utf-8")
    assert "Split `train` of the dataset pets" in card and "18 images" in card
    assert len(list((tmp_path / "bundle" / "golden").glob("*.jpg"))) == 18
    assert "CLASS_NAMES" in script.text(finished, keeping.revision(finished))


def test_delete_dataset__images_go_with_the_last_run_that_keeps_them(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "COMPARED", 2)
    monkeypatch.setattr(keeping, "CALIBRATING", 1)
    run = ended(tmp_path, class_names=["cat", "dog"])
    revision = library.load("pets")
    images = [
        *keeping.comparison_images(revision)[1],
        *keeping.calibration_images(revision),
    ]
    delete_dataset()
    assert keeping.revision(run) == revision
    assert stored(empty) == {one.sha256 for one in images} and len(images) == 3
    delete(trash.put_run(Store(), run.id))
    assert not stored(empty)


def test_delete_dataset__keeps_nothing_for_a_run_without_model(
    empty: Path, tmp_path: Path
) -> None:
    run = ended(tmp_path)
    delete_dataset()
    assert not stored(empty)
    with pytest.raises(NotFoundError, match="Import the dataset again"):
        keeping.revision(run)


def test_delete_dataset__a_damaged_one_goes_too(empty: Path, tmp_path: Path) -> None:
    run = ended(tmp_path, class_names=["cat", "dog"])
    (empty / "datasets" / "pets" / f"{run.revision}.json").write_text("half of it")
    delete_dataset()
    assert not library.list_datasets()


def test_delete_dataset__waits_for_runs_that_need_it(
    empty: Path, tmp_path: Path
) -> None:
    ended(tmp_path)
    Store().create(TrainConfig(dataset="pets"), "later")
    with pytest.raises(RunError, match="need it: later"):
        delete_dataset()
    assert library.load("pets")


def test_delete_dataset__of_a_new_one_keeps_what_is_left_of_the_old(
    empty: Path, tmp_path: Path
) -> None:
    run = ended(tmp_path, class_names=["cat", "dog"])
    before = library.load("pets")
    delete_dataset()
    importer.import_path(make_pictures(tmp_path / "b", {"cat": 2, "dog": 2}), "pets")
    delete_dataset()
    assert keeping.revision(run) == before
    assert stored(empty) >= {one.sha256 for one in keeping.comparison_images(before)[1]}
