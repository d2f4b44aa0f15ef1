"""How much one person may have, and what becomes of more."""

import time
from pathlib import Path

import pytest

from tests.pictures import make_pictures
from tests.statements import statements
from tests.transfer.runs.processes_made import FakeProcess
from transfer import workspace
from transfer.__main__ import main
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer, uploads
from transfer.datasets.ingest.frames import Piece
from transfer.errors import ConfigError, LimitError
from transfer.people import auth, limits, rule, usage
from transfer.people.limits import DEFAULTS, NO_LIMITS, Limits
from transfer.people.usage import Usage
from transfer.runs import places, queue, requests
from transfer.runs.engines.host import Host
from transfer.store import files, rows
from transfer.store.people import OWNER, Person, Role
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.upkeep import trash


@pytest.fixture
def anna(store: Store, monkeypatch: pytest.MonkeyPatch) -> Person:
    """A participant of a workshop."""
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    return person(store, "anna")


def person(store: Store, name: str, role: Role = Role.PARTICIPANT) -> Person:
    made = store.people.add(subject=name, name=name, role=role)
    assert made
    return made


def pets(store: Store, owner: Person, tmp_path: Path, count: int = 4) -> TrainConfig:
    """Settings of a run on a dataset of this person."""
    folder = make_pictures(tmp_path / owner.name, {"cat": count, "dog": count})
    revision = importer.import_path(folder, owner.name, val=0.5)
    store.datasets.own(owner.name, owner.id)
    return TrainConfig.of(dataset=owner.name, revision=revision.id)


def test_of__the_instructor_has_more_and_the_administrator_no_limits(
    store: Store, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    tom = person(store, "tom", Role.INSTRUCTOR)
    of_anna, of_tom = vars(limits.of(anna)), vars(limits.of(tom))
    assert all(of_tom[name] > most for name, most in of_anna.items())
    assert limits.of(person(store, "ada", Role.ADMINISTRATOR)) is NO_LIMITS
    assert limits.of(OWNER) == NO_LIMITS, "whoever types on the server"
    monkeypatch.setenv("TRANSFER_AUTH", "open")
    assert limits.of(anna) == NO_LIMITS


def test_of__what_the_server_says(
    anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_LIMITS", "disk=0.5, images=none queued=2")
    of_anna, default = limits.of(anna), DEFAULTS[Role.PARTICIPANT]
    assert (of_anna.disk, of_anna.images, of_anna.queued) == (0.5e9, None, 2)
    assert of_anna.hours == default.hours


@pytest.mark.parametrize("said", ["disc=5", "disk", "queued=many"])
def test_of__what_cannot_be_read(
    anna: Person, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("TRANSFER_LIMITS", said)
    with pytest.raises(ConfigError, match=f"TRANSFER_LIMITS says '{said}'.*disk, im"):
        limits.of(anna)


def test_figures__of_what_is_limited() -> None:
    most = Limits(disk=5e9, images=20_000, queued=3)
    used = Usage(disk=1.2e9, images=3100, queued=2, running=1, hours=1)
    told = limits.figures(most, used, "disk", "images", "queued", "hours")
    assert told == ["1.2 of 5 GB", "3,100 of 20,000 images", "2 of 3 jobs queued"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"disk": 4e9}, "1.2 of 5 GB, and 4.0 GB more would be needed. Delete what"),
        ({"images": 2}, "9 of 10 images, and 2 more came. Delete a dataset"),
        ({"queued": 1}, "3 of 3 jobs queued. Wait until one has begun, or cancel"),
        ({"hours": 0}, "4.0 of 4 hours of work within 24 hours. It goes on as"),
    ],
    ids=str,
)
def test_check__says_what_is_used_and_how_to_mend_it(
    more: dict[str, float], says: str
) -> None:
    most = Limits(disk=5e9, images=10, queued=3, hours=4)
    used = Usage(disk=1.2e9, images=9, queued=3, running=1, hours=4)
    with pytest.raises(LimitError) as told:
        limits.check(most, used, **more)
    assert says in str(told.value)
    limits.check(NO_LIMITS, used, **more)


def test_usage__all_that_somebody_has_and_nobody_else(
    store: Store, anna: Person, tmp_path: Path
) -> None:
    config = pets(store, anna, tmp_path)
    pictures = sum(one.stat().st_size for one in (tmp_path / "anna").rglob("*.png"))
    seen = store.view_for(rule.scope(anna))
    run = queue.submit(seen, config)
    upload = uploads.start(anna.id)
    files.of_run(run.id).mkdir(parents=True)
    (files.of_run(run.id) / "model.keras").write_bytes(bytes(1000))
    had = usage.of(store, anna.id)
    assert (had.images, had.queued, had.running) == (8, 1, 0)
    piece = Piece(path="a.jpg", offset=0, total=500, content=bytes(500))
    uploads.store(upload, [piece])
    assert usage.of(store, anna.id).disk == had.disk + 500
    assert had.disk == pictures + 1000 + len(anna.id), "and whose the upload is"
    assert usage.of(store, person(store, "bob").id) == Usage()


def test_usage__what_was_deleted_waits_no_more(store: Store, anna: Person) -> None:
    run = store.create(TrainConfig.of(dataset="anna"), owner=anna.id)
    assert usage.of_work(store, anna.id).queued == 1
    trash.put_run(store, run.id)
    assert usage.of_work(store, anna.id).queued == 0


def test_usage__work_of_the_last_day(store: Store, anna: Person) -> None:
    config = TrainConfig.of(dataset="anna")
    for status in (JobStatus.COMPLETED, JobStatus.RUNNING):
        run = store.create(config, owner=anna.id)
        store.claim_next("here", {("run",): 9})
        store.begin(run.id)
        if status is JobStatus.COMPLETED:
            store.finish(run.id, status)
        now = store.get(run.id)
        changed = {"started_at": (now.started_at or 0.0) - 3600}
        with store._database.writing() as connection:
            rows.change(connection, run.id, **changed)
    work = usage.of_work(store, anna.id)
    assert work.running == 1
    assert work.hours == pytest.approx(2.0, abs=0.1)


def test_submit__one_more_than_may_wait_is_refused_and_nothing_is_lost(
    store: Store, anna: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_LIMITS", "queued=2")
    config, seen = pets(store, anna, tmp_path), store.view_for(rule.scope(anna))
    first, _ = queue.submit(seen, config), queue.submit(seen, config)
    with pytest.raises(LimitError, match="2 of 2 jobs queued"):
        queue.submit(seen, config)
    with pytest.raises(LimitError, match="2 of 2 jobs queued"):
        queue.ask(seen, requests.import_("sample:digits", "more"))
    assert len(store.waiting()) == 2
    queue.stop(seen, first.id)
    queue.submit(seen, config)
    with pytest.raises(LimitError):
        queue.resume(seen, first.id)
    queue.submit(store, config)  # others may still ask


def test_ask__what_goes_on_already_is_no_further_job(
    store: Store, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_LIMITS", "queued=1")
    seen = store.view_for(rule.scope(anna))
    asked = [queue.ask(seen, requests.import_("sample:digits", "digits")) for _ in "ab"]
    assert asked[0].id == asked[1].id


def test_dispatch__no_more_of_one_at_work_than_may_be(
    store: Store, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too much waits, and says so; others are not kept from their turn."""
    monkeypatch.setenv("TRANSFER_LIMITS", "running=1")
    seen = store.view_for(rule.scope(anna))
    for name in ("one", "two"):
        queue.ask(seen, requests.import_("sample:digits", name))
    queue.ask(store, requests.import_("sample:digits", "three"))
    begun = queue.dispatch(store, lambda _: FakeProcess())
    assert [store.get_job(one).subject for one in begun] == ["one", "three"]
    (place,) = places.places(store).values()
    assert place.why == "1 of 1 jobs at work are used"
    store.finish(begun[0], JobStatus.COMPLETED)
    (last,) = queue.dispatch(store, lambda _: FakeProcess())
    assert store.get_job(last).subject == "two"


def test_import__more_images_than_may_be_are_refused_before_any_is_copied(
    store: Store, anna: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_LIMITS", "images=10")
    pets(store, anna, tmp_path)
    upload = uploads.start(anna.id)
    make_pictures(uploads.source(upload) / "more", {"cat": 2, "dog": 2}, seed=1)
    seen = store.view_for(rule.scope(anna))
    request = requests.import_(uploads.source(upload), "more", upload=upload)
    job = queue.ask(seen, request)
    store.claim_next("here", {("import",): 9})
    assert main([*job.settings["words"], "--job", job.id]) == 1
    ended = store.get_job(job.id)
    assert "8 of 10 images, and 4 more came" in ended.error["message"]
    assert uploads.count(upload).files == 4, "for another try"
    assert store.datasets.get("more").owner is None
    monkeypatch.setenv("TRANSFER_LIMITS", "images=8")
    with pytest.raises(LimitError, match="8 of 8 images"):
        queue.ask(seen, request)


def test_import__a_run_that_may_not_be_queued_leaves_the_dataset(
    store: Store, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = store.view_for(rule.scope(anna))
    job = queue.ask(seen, requests.import_("sample:digits", "digits", train=True))
    store.claim_next("here", {("import",): 9})
    monkeypatch.setenv("TRANSFER_LIMITS", "queued=0")
    assert main([*job.settings["words"], "--job", job.id]) == 0
    ended = store.get_job(job.id)
    assert ended.status is JobStatus.COMPLETED and not seen.runs()
    assert "0 of 0 jobs queued" in ended.result["not_trained"]


def test_rests__asks_once_for_however_many(store: Store, anna: Person) -> None:
    owners = [anna.id, *(person(store, f"p{number}").id for number in range(9)), None]
    with statements(store) as seen:
        assert limits.rests(store, owners) == dict.fromkeys(owners, "")
    assert len([one for one in seen if one.startswith("SELECT")]) == 2


def test_rest__reads_nobody_else(store: Store, anna: Person) -> None:
    others = [person(store, f"p{number}") for number in range(3)]
    assert [*store.people.those([anna.id, others[0].id, "nobody"])] == [
        anna.id,
        others[0].id,
    ]
    with statements(store) as seen:
        assert limits.rest(store, anna.id) == ""
    (of_people,) = [one for one in seen if "FROM people" in one]
    assert "WHERE people.id IN" in of_people


def test_dispatch__two_servers_at_once_begin_no_more_of_one_than_may_be(
    store: Store, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the other one had begun a job since it was asked whether one may."""
    monkeypatch.setenv("TRANSFER_LIMITS", "running=2")
    monkeypatch.setattr(limits, "rest", lambda *_: "")
    seen = store.view_for(rule.scope(anna))
    for name in ("one", "two", "three"):
        queue.ask(seen, requests.import_("sample:digits", name))
    hosts = [Host(name=name, cores=16) for name in ("here", "there")]
    begun = [
        job
        for host in hosts
        for job in queue.dispatch(store, lambda _: FakeProcess(), hosts=[host])
    ]
    assert [store.get_job(one).subject for one in begun] == ["one", "two"]


def test_dispatch__a_worker_that_was_told_nothing_holds_people_to_their_limits(
    store: Store, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`python -m transfer worker` on another machine, in a shell of its own."""
    monkeypatch.setenv("TRANSFER_LIMITS", "running=1")
    auth.tell_settings()
    seen = store.view_for(rule.scope(anna))
    for name in ("one", "two"):
        queue.ask(seen, requests.import_("sample:digits", name))
    for variable in ("TRANSFER_AUTH", "TRANSFER_LIMITS"):
        monkeypatch.delenv(variable)
    assert len(queue.dispatch(store, lambda _: FakeProcess())) == 1


def test_dispatch__a_worker_that_was_told_nothing_begins_nothing_that_may_not_be(
    store: Store, anna: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth.tell_settings()
    bob = person(store, "bob")
    config = pets(store, anna, tmp_path)
    store.datasets.share("anna", "read")
    run = queue.submit(store.view_for(rule.scope(bob)), config)
    store.datasets.share("anna", "private")
    monkeypatch.delenv("TRANSFER_AUTH")
    assert queue.dispatch(store, lambda _: FakeProcess()) == []
    assert store.get(run.id).status is JobStatus.FAILED


def test_usage__the_clock_of_a_server_changes_nothing_where_several_share_a_database(
    store: Store, anna: Person, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(TrainConfig.of(dataset="anna"), owner=anna.id)
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7200)
    hours = usage.of_work(store, anna.id).hours
    assert hours == pytest.approx(0.0 if database == "postgresql" else 2.0, abs=0.1)


def test_usage__no_folder_is_looked_through_twice(
    store: Store, anna: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queue.submit(
        store.view_for(rule.scope(anna)), pets(store, anna, tmp_path), "mine"
    )
    model, export = files.model(run.id), files.export(run.id, "onnx", "none") / "a"
    for path in (model, export):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(1000))
    seen = list[Path]()
    bytes_of = workspace.bytes_of

    def note(*paths: Path) -> int:
        seen.extend(paths)
        return bytes_of(*paths)

    monkeypatch.setattr(workspace, "bytes_of", note)
    asked = list[Path]()
    of_folder = usage._of_folder
    monkeypatch.setattr(
        usage, "_of_folder", lambda one: asked.append(one) or of_folder(one)
    )
    usage.of(store, anna.id)
    assert len(asked) == 1
    assert not [
        (one, other) for one in seen for other in seen if one in other.parents
    ] and len({*seen}) == len(seen)
    told = usage.on_disk(store, anna.id)
    assert (told.runs, told.exports) == (1000, 1000)
