import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.pictures import make_pictures
from tests.transfer.runs.processes_made import FLOWERS
from transfer import workspace as place
from transfer.__main__ import main
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.datasets.ingest import importer
from transfer.people import codes
from transfer.people.rule import _Of
from transfer.store import files
from transfer.store.people import Role
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.upkeep import cleaning, trash

LATER = 100 * 86_400.0


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done is a hundred days ago."""
    now = time.time()
    there = SimpleNamespace(time=lambda: now + LATER)
    monkeypatch.setattr(cleaning, "time", there)


def ended(store: Store, config: TrainConfig = FLOWERS) -> str:
    created = store.create(config)
    store.claim_next("here", {("run",): 9})
    store.begin(created.id, 1)
    place.write_atomically(files.model(created.id), bytes(1000))
    result = {"class_names": ["cat", "dog"]}
    return store.finish(created.id, JobStatus.COMPLETED, result).id


def clean(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["clean", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def import_pets(folder: Path, name: str) -> None:
    make_pictures(folder / name, {"cat": 2, "dog": 2})
    importer.import_path(folder / name, name)


def test_runs__old_ones_go_unless_somebody_cares(store: Store, later: None) -> None:
    plain, noted, tagged, start = (ended(store) for _ in range(4))
    store.describe(noted, note="the good one")
    store.describe(tagged, tags=["paper"])
    goes_on = ended(store, replace_start(start))
    store.describe(goes_on, note="goes on from another")
    store.create(FLOWERS)
    assert [one.id for one in cleaning.runs(store, 90)] == [plain]
    assert cleaning.runs(store, 110) == []


def replace_start(run: str) -> TrainConfig:
    return FLOWERS.model_copy(update={"start_from": run})


def test_datasets__old_ones_go_that_no_run_names(
    store: Store, tmp_path: Path, later: None
) -> None:
    for name in ("unused", "used"):
        import_pets(tmp_path, name)
    run = ended(store, FLOWERS.model_copy(update={"dataset": "used"}))
    named = [one.what for one in cleaning.datasets(store, 90)]
    assert named == ["dataset unused"]
    named = [one.what for one in cleaning.datasets(store, 90, going={run})]
    assert named == ["dataset unused", "dataset used"]
    assert cleaning.datasets(store, 110) == []


def test_clean__lists_first(
    store: Store, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feature = workspace / "features" / "a" / "1.features"
    place.write_atomically(feature, bytes(3_000_000))
    would = clean(capsys, "--caches")
    assert (would["removed"], would["bytes"]) == (False, 3_000_000)
    assert would["parts"] == ["cache features: 3 MB"] and feature.exists()
    assert clean(capsys, "--caches", "--yes")["removed"] is True
    assert not feature.exists()


def test_clean__everything_goes_at_the_end(
    store: Store, tmp_path: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import_pets(tmp_path, "pets")
    run = ended(store, FLOWERS.model_copy(update={"dataset": "pets"}))
    place.write_atomically(workspace / "uploads" / "0a1b" / "files" / "x", b"sent")
    place.write_atomically(workspace / "thumbnails" / "ab" / "x", b"small")
    assert len(clean(capsys, "--everything", "--yes")["parts"]) == 5
    assert library.all_names() == [] and store.runs() == []
    left = {path.name for path in workspace.rglob("*") if path.is_file()}
    assert left <= {"store.sqlite", "store.sqlite-shm", "store.sqlite-wal", ".lock"} | {
        "store.lock",
        "secret",
    }
    assert not files.of_run(run).exists()


def test_clean__nothing_goes_while_jobs_work(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.create(FLOWERS)
    assert main(["clean", "--everything", "--yes"]) == 1
    assert "Stop it first" in capsys.readouterr().err
    assert len(store.runs()) == 1


def test_clean__says_what_to_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clean", "--yes"]) == 2
    assert "--caches" in capsys.readouterr().err


def test_everything__takes_people_codes_and_log_where_that_is_chosen(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    anna = store.people.add(subject="name:anna", name="Anna", role=Role.PARTICIPANT)
    assert anna
    token = {"id": "1", "name": "x", "may_change": False, "created_at": 0.0}
    store.tokens.add(person=anna.id, hash="h", expires_at=9e9, **token)
    store.classroom.see(anna.id, "data")
    before = codes.workshop()
    clean(capsys, "--everything", "--yes")
    assert store.people.all() == [anna] and codes.workshop() == before
    clean(capsys, "--everything", "--people", "--yes")
    assert store.people.all() == [] and store.tokens.of(anna.id) == []
    assert codes.workshop().access != before.access
    assert len(store.people.events()) == 2
    clean(capsys, "--everything", "--log", "--yes")
    assert [one.action for one in store.people.events()] == ["clean"]


def test_everything__whoever_asks_stays(store: Store) -> None:
    role = Role.ADMINISTRATOR
    ada, bob = (
        store.people.add(subject=name, name=name, role=role) for name in ("ada", "bob")
    )
    assert ada and bob
    seen = store.view_for(_Of(ada))
    cleaning.remove(seen, cleaning.everything(seen, people=True))
    assert store.people.all() == [ada]


def test_everything__what_is_in_the_trash_goes_too(
    store: Store, tmp_path: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import_pets(tmp_path, "pets")
    trash.put_dataset(store, "pets")
    trash.put_run(store, ended(store))
    clean(capsys, "--everything", "--yes")
    assert not store.trash.all() and not [*workspace.glob("images/*/*")]
    assert not store.with_trash().runs()


def test_clean__each_sees_and_removes_what_is_theirs(
    store: Store, tmp_path: Path, later: None
) -> None:
    role = Role.PARTICIPANT
    anna, bob = (
        store.people.add(subject=name, name=name, role=role) for name in ("anna", "bob")
    )
    assert anna and bob
    import_pets(tmp_path, "pets")
    store.datasets.own("pets", anna.id)
    run = store.create(FLOWERS, owner=anna.id).id
    store.claim_next("here", {("run",): 9})
    store.begin(run, 1)
    store.finish(run, JobStatus.COMPLETED)
    store.share(run, "all")
    store.datasets.share("pets", "all")
    place.write_atomically(workspace_of("0a1b") / "owner", anna.id.encode())
    found = {}
    for who in (anna, bob):
        seen = store.view_for(_Of(who))
        parts = cleaning.runs(seen, 90) + cleaning.datasets(seen, 90)
        found[who.name] = len([*parts, *cleaning.uploads(seen)])
    assert found == {"anna": 3, "bob": 0}


def workspace_of(upload: str) -> Path:
    """The folder of an upload."""
    return place.home() / "uploads" / upload
