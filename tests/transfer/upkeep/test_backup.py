import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

from tests.jobs_made import measure
from tests.pictures import make_pictures
from tests.transfer.features.computing import extractor_of
from tests.transfer.runs.processes_made import FLOWERS, taken, taken_run
from tests.transfer.runs_made import finished_run
from transfer import workspace as place
from transfer.datasets import library
from transfer.datasets.ingest import importer
from transfer.errors import ConfigError, StorageError
from transfer.features.views import View
from transfer.people import links
from transfer.prediction import models
from transfer.store import files
from transfer.store.record import Metric
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.upkeep import backup

NAMES = ("A", "ünïcode", "with space")


def import_pets(folder: Path, name: str, number: int = 0) -> None:
    make_pictures(folder / name, {"cat": 3, "dog": 3, f"fox {number}": 2})
    importer.import_path(folder / name, name)


def complete(store: Store) -> str:
    """A run with a model, as its worker leaves it: the file, then the record."""
    run = taken_run(store, 1)
    place.write_atomically(files.model(run.id), f"model of {run.id}".encode())
    measure(store, run.id, [Metric(phase="head", epoch=1, name="loss", value=1.0)])
    store.finish(run.id, JobStatus.COMPLETED, {"class_names": ["cat", "dog"]})
    return run.id


def restored(made: Path, monkeypatch: pytest.MonkeyPatch, name: str = "back") -> Path:
    """The workspace of a backup, which is the one in use then."""
    home = made.parent / name
    backup.restore(made, home)
    monkeypatch.setenv("TRANSFER_HOME", str(home))
    return home


def check_whole() -> None:
    """All that the workspace names is there, and is what it is named after."""
    for revision in library.list_datasets():
        for image in revision.images:
            content = library.image_path(image.sha256).read_bytes()
            assert hashlib.sha256(content).hexdigest() == image.sha256
    with closing(Store()) as store:
        assert not store.active()
        for run in store.runs():
            if run.status is JobStatus.COMPLETED:
                assert files.model(run.id).read_text() == f"model of {run.id}"
                assert len(store.metrics.of_epochs(run.id)) == 1


@pytest.fixture
def made(store: Store, tmp_path: Path) -> Path:
    """A backup of a workspace with two datasets and a run."""
    import_pets(tmp_path, "pets")
    complete(store)
    backup.write(tmp_path / "made.tar")
    return tmp_path / "made.tar"


def test_restore__everything_is_there(
    store: Store, tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        import_pets(tmp_path, name)
    run, token = complete(store), links.sign("live", "abc")
    for cache in ("features/abc/one.features", "thumbnails/ab/abc"):
        place.write_atomically(workspace / cache, b"kept")
    said = backup.write(tmp_path / "made.tar")
    assert (said.datasets, said.runs) == (sorted(NAMES), 1)
    home = restored(tmp_path / "made.tar", monkeypatch)
    check_whole()
    assert library.all_names() == sorted(NAMES)
    with closing(Store()) as again:
        assert [one.id for one in again.runs()] == [run]
    assert links.verify("live", token) == "abc"
    assert (home / "features/abc/one.features").read_bytes() == b"kept"
    assert (home / "thumbnails/ab/abc").read_bytes() == b"kept"
    assert (home / "secret").stat().st_mode & 0o077 == 0


def test_restore__what_was_at_work_counts_as_interrupted(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, rank = taken_run(store, 1), taken(store, "rank", 1)
    waits = store.create(FLOWERS)
    place.write_atomically(files.checkpoint(run.id), b"so far")
    backup.write(tmp_path / "made.tar")
    assert store.get(run.id).status is JobStatus.RUNNING
    restored(tmp_path / "made.tar", monkeypatch)
    with closing(Store()) as again:
        for one in (run, rank):
            found = again.get_job(one.id)
            assert found.status is JobStatus.INTERRUPTED
            assert "when the backup was made" in found.error["message"]
        assert again.get(waits.id).status is JobStatus.QUEUED
        assert files.checkpoint(run.id).read_bytes() == b"so far"
        assert again.resume(run.id).status is JobStatus.QUEUED


def test_write__leaves_out_caches_if_asked(
    store: Store, tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write_atomically(workspace / "features/abc/one.features", b"large")
    backup.write(tmp_path / "made.tar", caches=False)
    assert not (restored(tmp_path / "made.tar", monkeypatch) / "features").exists()


def test_write__leaves_out_what_is_still_written(
    store: Store, tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = workspace / "uploads" / "0a1b"
    for path in ("features/abc/one.writing", "runs/abc/.writing-1", "tmpabc/x"):
        place.write_atomically(workspace / path, b"half")
    place.write_atomically(upload / "partial" / "a.jpg", b"half")
    place.write_atomically(upload / "files" / "partial" / "a.jpg", b"whole")
    backup.write(tmp_path / "made.tar")
    home = restored(tmp_path / "made.tar", monkeypatch)
    left = {path.name for path in home.rglob("*") if path.is_file()}
    assert left == {"store.sqlite", "a.jpg"}
    assert (home / "uploads/0a1b/files/partial/a.jpg").read_bytes() == b"whole"
    assert not list((workspace / "importing").iterdir())


@pytest.mark.parametrize("where", ["workspace", "made.tar"])
def test_write__refuses_a_name_that_is_taken_or_inside(
    where: str, store: Store, tmp_path: Path, workspace: Path
) -> None:
    (tmp_path / "made.tar").touch()
    wanted = {"workspace": workspace / "one.tar", "made.tar": tmp_path / "made.tar"}
    with pytest.raises(ConfigError, match="there already, or in the workspace"):
        backup.write(wanted[where])


def damages(size: int) -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    yield "nothing", lambda content: b""
    yield "half", lambda content: content[: size // 2]
    yield "no end", lambda content: content[:-12_000]
    yield "no tar", lambda content: b"x" * size
    for part in range(1, 8):
        at = size * part // 8
        yield f"byte {part}", lambda c, at=at: c[:at] + b"\xfe" + c[at + 1 :]  # type: ignore[misc]


@pytest.mark.parametrize("how", [name for name, _ in damages(8)])
def test_restore__refuses_a_damaged_one(how: str, made: Path, tmp_path: Path) -> None:
    content = made.read_bytes()
    changed = dict(damages(len(content)))[how](content)
    made.write_bytes(changed)
    home = tmp_path / "back"
    try:
        backup.restore(made, home)
    except StorageError as error:
        assert "Nothing was restored" in str(error)
        assert not home.exists() or not [*home.iterdir()]
    else:  # a byte between two files, which means nothing
        assert changed != content
        with suppress(KeyError):
            assert tar_files(changed) == tar_files(content)


def tar_files(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        files = ((one.name, tar.extractfile(one)) for one in tar)
        return {name: file.read() for name, file in files if file}


def repack(made: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """The backup with other files in it and the checksums that fit them."""
    content = tar_files(made.read_bytes())
    change(content)
    del content["checksums.json"]
    sums = {name: hashlib.sha256(one).hexdigest() for name, one in content.items()}
    content["checksums.json"] = json.dumps(sums).encode()
    with tarfile.open(made, "w") as tar:
        for name, one in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(one)
            tar.addfile(info, io.BytesIO(one))


@pytest.mark.parametrize(
    ("field", "value"), [("format", 2), ("schema", "9999"), ("manifests", 99)]
)
def test_restore__refuses_one_of_a_newer_program(
    field: str, value: object, made: Path, tmp_path: Path
) -> None:
    def change(content: dict[str, bytes]) -> None:
        about = json.loads(content["backup.json"]) | {field: value, "more": 1}
        content["backup.json"] = json.dumps(about).encode()

    repack(made, change)
    with pytest.raises(StorageError, match="newer Transfer Studio.*Restore it with"):
        backup.restore(made, tmp_path / "back")


@pytest.mark.parametrize("name", ["workspace/../../out", "workspace//etc/x", "/x"])
def test_restore__writes_nothing_outside_its_folder(
    name: str, made: Path, tmp_path: Path
) -> None:
    repack(made, lambda content: content.update({name: b"evil"}))
    with pytest.raises(StorageError, match="no file of a workspace"):
        backup.restore(made, tmp_path / "a" / "back")
    assert not (tmp_path / "out").exists()


def test_restore__overwrites_nothing(made: Path, tmp_path: Path) -> None:
    home = tmp_path / "back"
    home.mkdir()
    (home / "mine").write_text("kept")
    with pytest.raises(ConfigError, match="not an empty folder"):
        backup.restore(made, home)
    assert [*home.iterdir()] == [home / "mine"]


def test_restore__goes_on_where_an_earlier_one_was_cut_off(
    made: Path, tmp_path: Path
) -> None:
    (tmp_path / "back" / ".restoring").mkdir(parents=True)
    (tmp_path / "back" / ".restoring" / "half").touch()
    backup.restore(made, tmp_path / "back")
    assert not (tmp_path / "back" / ".restoring").exists()
    assert not (tmp_path / "back" / "half").exists()


def test_restore__says_that_there_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be read.*No such file"):
        backup.restore(tmp_path / "none.tar", tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_restore__runs_predictions_and_features_stay_the_same(
    tiny: None, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, model = finished_run(tmp_path)
    pictures: list[bytes | Path] = [*sorted((tmp_path / "pets").rglob("*.png"))]
    views = [View(one.sha256) for one in library.load("pets").images]
    before = models.load(run.id).probabilities(pictures)
    pooled = model.get_layer("pooled_backbone")
    extractor = extractor_of(pooled)
    extractor.compute({"pooling": views}, lambda *_: None)
    features = extractor.read("pooling", views)
    measure(store, run.id, [Metric(phase="head", epoch=1, name="loss", value=0.1)])
    measured = store.metrics.of_epochs(run.id)
    backup.write(tmp_path / "made.tar")
    # Another machine: nothing is here but the tar, and at another path.
    shutil.rmtree(place.home())
    restored(tmp_path / "made.tar", monkeypatch)
    models._read_runner.cache_clear()
    with closing(Store()) as again:
        assert again.runs() == [run]
        assert again.metrics.of_epochs(run.id) == measured
    converted = files.runner(run.id).stat().st_mtime
    assert np.array_equal(models.load(run.id).probabilities(pictures), before)
    # What was kept of it is used again, not made anew.
    assert files.runner(run.id).stat().st_mtime == converted
    known, computed = extractor_of(pooled), list[int]()
    known.compute({"pooling": views}, lambda done, of: computed.append(of))
    assert computed == []
    assert np.array_equal(known.read("pooling", views), features)
