"""What is deleted is hidden, comes back whole, and goes when its days are over."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jobs_made import measure
from tests.pictures import make_pictures
from transfer import workspace as place
from transfer.config import TrainConfig
from transfer.datasets import editing, history, library, names
from transfer.datasets.ingest import importer
from transfer.datasets.lock import one_writer
from transfer.datasets.revision import Revision
from transfer.errors import (
    ConfigError,
    NameTakenError,
    NotFoundError,
    RunError,
    TransferError,
)
from transfer.export import orders
from transfer.runs import queue, requests, supervisor
from transfer.store import files
from transfer.store.record import Metric, Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.upkeep import trash


@pytest.fixture
def pets(workspace: Path, tmp_path: Path) -> Revision:
    return import_pets(tmp_path)


def import_pets(folder: Path, seed: int = 0) -> Revision:
    made = make_pictures(folder / f"{seed}", {"cat": 4, "dog": 4}, seed=seed)
    return importer.import_path(made, "pets", val=0.5)


def ended(store: Store, revision: Revision) -> Run:
    config = TrainConfig(dataset=revision.dataset, revision=revision.id)
    run = store.create(config, "mine")
    store.claim_next("here", {("run",): 9})
    store.begin(run.id, 1)
    measure(store, run.id, [Metric(phase="head", epoch=1, name="loss", value=1.0)])
    place.write_atomically(files.model(run.id), bytes(1000))
    result = {"class_names": ["cat", "dog"]}
    return store.finish(run.id, JobStatus.COMPLETED, result)  # type: ignore


def export_of(store: Store, run: Run) -> str:
    """The subject of a finished export."""
    job = queue.ask(store, orders.request(run, "onnx", "none"))
    store.claim_next("here", {("export",): 9})
    store.begin(job.id, 1)
    store.finish(job.id, JobStatus.COMPLETED, {"parity": {}})
    place.write_atomically(files.export(run.id, "onnx", "none") / "pets.zip", b"zip")
    return job.subject


def images(workspace: Path) -> int:
    return len([*workspace.glob("images/*/*")])


def test_put_run__hides_it_and_all_that_is_about_it(
    store: Store, pets: Revision
) -> None:
    run = ended(store, pets)
    evaluation = queue.ask(store, requests.evaluate(run.id, "val"))
    trash.put_run(store, run.id[:6])
    for found in (store.runs(), store.summaries(), store.going_on(), store.waiting()):
        assert not found
    with pytest.raises(NotFoundError):
        store.get("mine")
    assert store.find("evaluate", evaluation.subject) is None
    assert store.claim_next("here", {("evaluate",): 9}) is None
    assert not store.counts()


def test_restore__brings_a_run_back_as_it_was(store: Store, pets: Revision) -> None:
    run = ended(store, pets)
    evaluation = queue.ask(store, requests.evaluate(run.id, "val"))
    one = trash.put_run(store, run.id)
    assert trash.restore(store, one.id).thing == run.id
    assert store.get("mine") == run and len(store.metrics.after(run.id)) == 1
    assert files.model(run.id).exists() and not store.trash.all()
    assert [job.id for job in store.waiting()] == [evaluation.id]


def test_put_run__that_waits_is_not_begun(store: Store, pets: Revision) -> None:
    run = store.create(TrainConfig(dataset="pets", revision=pets.id))
    one = trash.put_run(store, run.id)
    assert store.claim_next("here", {("run",): 9}) is None
    trash.restore(store, one.id)
    assert store.waiting() == [store.get(run.id)]


def test_put_run__refuses_one_that_a_worker_has(store: Store, pets: Revision) -> None:
    run = store.create(TrainConfig(dataset="pets", revision=pets.id))
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    with pytest.raises(RunError, match="is running.*Stop it first"):
        trash.put_run(store, run.id)


def test_remove__of_a_run_leaves_nothing_of_it(store: Store, pets: Revision) -> None:
    run, other = ended(store, pets), ended(store, pets)
    trash.put_export(store, export_of(store, run))
    stays = queue.ask(store, requests.evaluate(other.id, "val"))
    trash.remove(store, trash.put_run(store, run.id).id)
    assert not files.of_run(run.id).exists() and not store.metrics.after(run.id)
    assert [one.id for one in store.with_trash().runs()] == [other.id]
    assert not store.trash.all() and store.waiting() == [stays]
    trash.settle(store)
    assert not [*place.home().glob("trash/*/*")]


def test_put_dataset__frees_its_name_and_keeps_its_images(
    store: Store, pets: Revision, workspace: Path
) -> None:
    one = trash.put_dataset(store, "pets")
    assert library.all_names() == [] and images(workspace) == 8
    library.check_name("pets")
    trash.restore(store, one.id)
    assert library.load("pets") == pets


def test_restore__a_dataset_is_whose_it_was(store: Store, pets: Revision) -> None:
    store.datasets.own("pets", "0a1b2c3d")
    store.datasets.share("pets", "read")
    before = store.datasets.get("pets")
    one = trash.put_dataset(store, "pets")
    assert store.datasets.get("pets").owner is None
    trash.restore(store, one.id)
    assert store.datasets.get("pets") == before


def test_restore__a_name_is_its_owners(
    store: Store, pets: Revision, tmp_path: Path
) -> None:
    kept = names.kept_under("pets", "0a1b2c3d")
    importer.import_path(tmp_path / "0", kept, val=0.5)
    store.datasets.own(kept, "0a1b2c3d")
    one = trash.put_dataset(store, kept)
    assert one.title == "pets"
    trash.restore(store, one.id, "old pets")
    assert library.all_names() == ["old pets@0a1b2c3d", "pets"]


def test_restore__a_name_that_was_given_again_needs_another(
    store: Store, pets: Revision, tmp_path: Path
) -> None:
    run = ended(store, pets)
    one = trash.put_dataset(store, "pets")
    newer = import_pets(tmp_path, seed=1)
    later = ended(store, newer)
    with pytest.raises(NameTakenError, match="Give it another name"):
        trash.restore(store, one.id)
    trash.restore(store, one.id, "old pets")
    back = library.load("old pets")
    assert (back.id, back.dataset) == (pets.id, "old pets")
    # Its runs know it by its new name, and those of the other keep theirs.
    assert (store.get(run.id).dataset, run.config.dataset) == ("old pets", "pets")
    assert store.get(run.id).config.dataset == "old pets"
    assert store.get(later.id).config.dataset == "pets"
    # It can be changed under its new name.
    editing.leave_out("old pets", [back.images[0].sha256], "blurred")
    assert len(library.load("old pets").images) == 7
    assert [one.head.id for one in history.steps("old pets")][-1] == pets.id


def test_remove__of_a_dataset_frees_the_disk(
    store: Store, pets: Revision, workspace: Path
) -> None:
    trash.remove(store, trash.put_dataset(store, "pets").id)
    assert images(workspace) == 0 and not [*workspace.glob("trash/*/*")]


def test_put_dataset__waits_for_runs_that_need_it(store: Store, pets: Revision) -> None:
    run = store.create(TrainConfig(dataset="pets"), "later")
    with pytest.raises(RunError, match="need it: later"):
        trash.put_dataset(store, "pets")
    # One in the trash does not hold it, for it goes on only if it is restored.
    trash.put_run(store, run.id)
    assert trash.put_dataset(store, "pets")


def test_tidy__takes_nothing_that_a_run_in_the_trash_names(
    store: Store, pets: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = editing.leave_out("pets", [pets.images[0].sha256], "blurred")
    history.undo("pets")
    one = trash.put_run(store, ended(store, named).id)
    for rule in ("KEPT", "KEPT_DAYS"):
        monkeypatch.setattr(history, rule, 0)
    supervisor.tidy(store)
    assert library.load("pets", named.id) == named
    trash.remove(store, one.id)
    supervisor.tidy(store)
    assert [one.id for one in history.heads("pets")] == [pets.id]


def test_put_export__and_restore_it(store: Store, pets: Revision) -> None:
    run = ended(store, pets)
    subject = export_of(store, run)
    one = trash.put_export(store, subject)
    with pytest.raises(NotFoundError):
        orders.archive(subject)
    assert store.find("export", subject) is None
    assert (one.title, trash.size(one)) == ("pets", 3)
    trash.restore(store, one.id)
    assert orders.archive(subject).read_bytes() == b"zip"


def test_restore__an_export_needs_its_run_and_its_place(
    store: Store, pets: Revision
) -> None:
    run = ended(store, pets)
    one = trash.put_export(store, export_of(store, run))
    export_of(store, run)
    with pytest.raises(NameTakenError, match="exported in this format again"):
        trash.restore(store, one.id)
    trash.put_run(store, run.id)
    with pytest.raises(RunError, match="Restore that first"):
        trash.restore(store, one.id)


def test_put_export__no_such_export(store: Store) -> None:
    with pytest.raises(NotFoundError):
        trash.put_export(store, "0a1b2c3d-onnx-none")


def test_discard_old__after_its_days(
    store: Store, pets: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    trash.put_dataset(store, "pets")
    assert trash.discard_old(store) == 0
    monkeypatch.setenv("TRANSFER_TRASH_DAYS", "0")
    assert trash.discard_old(store) == 1 and not store.trash.all()


def test_discard_old__takes_the_days_of_the_setting(
    store: Store, pets: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    trash.put_dataset(store, "pets")
    now = time.time()
    monkeypatch.setattr(trash.time, "time", lambda: now + 6.9 * 86_400)
    assert trash.discard_old(store) == 0
    monkeypatch.setattr(trash.time, "time", lambda: now + 7.1 * 86_400)
    assert trash.discard_old(store) == 1


def test_remove_all__of_a_run_and_of_its_export_that_went_before_it(
    store: Store, pets: Revision, workspace: Path
) -> None:
    run = ended(store, pets)
    trash.put_export(store, export_of(store, run))
    trash.put_run(store, run.id)
    trash.remove_all(store, store.trash.all())
    assert not store.trash.all()
    assert not [*workspace.glob("trash/*/*")]


def test_days__says_what_was_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFER_TRASH_DAYS", "a week")
    with pytest.raises(ConfigError, match="'a week', but a number of days"):
        trash.days()


class Killed(BaseException):
    """Ends a step as `kill -9` would: nothing is cleaned up."""


def deed(store: Store, kind: str, does: str, pets: Revision) -> Callable[[], object]:
    """Something that is done to a thing of this kind."""
    run = ended(store, pets)
    puts = {
        "dataset": lambda: trash.put_dataset(store, "pets"),
        "run": lambda: trash.put_run(store, run.id),
        "export": lambda: trash.put_export(store, subject),
    }
    subject = export_of(store, run) if kind == "export" else ""
    if does == "put":
        return puts[kind]
    one = puts[kind]()
    return lambda: getattr(trash, does)(store, one.id)


@pytest.mark.parametrize("step", range(5))
@pytest.mark.parametrize("does", ["put", "restore", "remove"])
@pytest.mark.parametrize("kind", ["dataset", "run", "export"])
def test_settle__a_kill_between_two_steps_loses_nothing(
    kind: str,
    does: str,
    step: int,
    store: Store,
    pets: Revision,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wherever it is killed, a thing is then there, in the trash, or wholly gone."""
    go, taken = deed(store, kind, does, pets), [0]

    def dies(step_of: Callable[..., object]) -> Callable[..., object]:
        def may_die(*args: object, **more: object) -> object:
            taken[0] += 1
            if taken[0] > step:
                raise Killed
            return step_of(*args, **more)

        return may_die

    with monkeypatch.context() as patch:
        # All that changes something, in the order in which it does.
        for name in ("put_dataset", "put_job", "restore", "remove"):
            patch.setattr(store.trash, name, dies(getattr(store.trash, name)))
        patch.setattr(Path, "rename", dies(Path.rename))
        patch.setattr(shutil, "rmtree", dies(shutil.rmtree))
        try:
            go()
        except Killed:
            pass
    trash.settle(store)
    in_trash = [one for one in store.trash.all() if one.kind == kind]
    is_there = {
        "dataset": bool(library.all_names()),
        "run": bool(store.runs()),
        "export": bool([*place.home().glob("runs/*/exports/*/*.zip")]),
    }[kind]
    assert not (is_there and in_trash)
    if in_trash:
        trash.restore(store, in_trash[0].id)
        check_whole(kind, store, pets)
    elif is_there:
        check_whole(kind, store, pets)
    else:
        assert does == "remove" and not [*place.home().glob("trash/*/*")]
        assert kind != "run" or not [*place.home().glob("runs/*")]


def check_whole(kind: str, store: Store, pets: Revision) -> None:
    """What is there is there as a whole."""
    assert images(place.home()) == 8
    if kind == "dataset":
        assert library.load("pets") == pets
    else:
        (run,) = store.runs()
        assert files.model(run.id).exists() and store.metrics.after(run.id)
    if kind == "export":
        assert orders.archive(f"{run.id}-onnx-none")


def test_put__waits_for_whoever_writes(
    store: Store, pets: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transfer.datasets.lock.LOCK_SECONDS", 0.05)
    with one_writer(), pytest.raises(TransferError, match="Another import"):
        trash.put_dataset(store, "pets")
    assert library.load("pets") == pets and not store.trash.all()


def test_size__of_what_has_no_folder(store: Store, pets: Revision) -> None:
    run = store.create(TrainConfig(dataset="pets", revision=pets.id))
    assert trash.size(trash.put_run(store, run.id)) == 0
