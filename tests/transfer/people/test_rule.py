"""The one rule, for each role, sharing and action, asked of things and of rows."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from transfer.config import TrainConfig
from transfer.datasets.ingest import uploads
from transfer.errors import NotAllowedError, NotFoundError
from transfer.people import rule
from transfer.people.rule import OF_SERVER, RULE, Sharing
from transfer.runs import queue, requests
from transfer.runs.requests import Request
from transfer.store.people import Person, Role
from transfer.store.runs import Store
from transfer.store.scope import EVERYTHING
from transfer.store.status import JobStatus
from transfer.upkeep import trash


class Thing(NamedTuple):
    owner: str | None
    sharing: str


def person(name: str, role: Role = Role.PARTICIPANT) -> Person:
    return Person(id=name, name=name, role=role)


ANNA, BOB = person("anna"), person("bob")
TOM, ADA = person("tom", Role.INSTRUCTOR), person("ada", Role.ADMINISTRATOR)
#: What everybody but the owner may do with a thing of Anna's, by its sharing.
OTHERS = {
    "private": {"bob": "", "tom": "read stop"},
    "read": {"bob": "read", "tom": "read stop"},
    "all": {"bob": "read change stop", "tom": "read change stop"},
}
THINGS = [Thing(owner, sharing) for owner, sharing in product(("anna", None), OTHERS)]


@pytest.mark.parametrize("sharing", list(OTHERS))
def test_may__by_owner_sharing_and_role(sharing: str) -> None:
    def all_of(actor: Person) -> set[str]:
        return {one for one in RULE if rule.may(actor, one, Thing("anna", sharing))}

    assert all_of(ANNA) == all_of(ADA) == {*RULE}
    for one in (BOB, TOM):
        assert all_of(one) == {*OTHERS[sharing][one.id].split()}


def test_may__what_belongs_to_nobody_is_not_everybodys() -> None:
    nobodys = Thing(None, "private")
    assert not any(rule.may(BOB, one, nobodys) for one in RULE)
    assert rule.may(ADA, "delete", nobodys)


def test_may__of_the_server_itself() -> None:
    allowed = {
        one.id: {action for action in OF_SERVER if rule.may(one, action)}
        for one in (BOB, TOM, ADA)
    }
    assert allowed == {"bob": set(), "tom": {"weights", "class"}, "ada": {*OF_SERVER}}


@pytest.mark.parametrize("action", list(RULE))
@pytest.mark.parametrize("actor", [ANNA, BOB, TOM, ADA], ids=lambda one: one.id)
def test_where__says_of_rows_what_may_says_of_things(
    actor: Person, action: str
) -> None:
    table = sa.Table(
        "things",
        sa.MetaData(),
        sa.Column("owner", sa.String),
        sa.Column("sharing", sa.String),
    )
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(sa.insert(table), [one._asdict() for one in THINGS])
        seen = sa.select(table).where(rule.where(actor, action, table))
        found = {tuple(row) for row in connection.execute(seen)}
    assert found == {one for one in THINGS if rule.may(actor, action, one)}
    engine.dispose()


def test_scope__is_everything_where_nobody_signs_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "open")
    assert rule.scope(BOB) is EVERYTHING


FLOWERS = TrainConfig(dataset="flowers", backbone="mobilenet_v2")


class Stores(NamedTuple):
    anna: Store
    bob: Store
    whole: Store


@pytest.fixture
def stores(store: Store, workspace: Path) -> Iterator[Stores]:
    """The store as Anna and as Bob see it; the dataset flowers is Anna's."""
    store.datasets.own("flowers", ANNA.id)
    views = (store.view_for(rule.scope(one)) for one in (ANNA, BOB))
    yield Stores(*views, store)


def test_store__shows_nobody_the_run_of_somebody_else(stores: Stores) -> None:
    run = queue.submit(stores.anna, FLOWERS, "mine")
    assert run.owner == ANNA.id
    for named in (run.id, "mine", run.id[:6]):
        with pytest.raises(NotFoundError, match="There is no run"):
            stores.bob.get(named)
    with pytest.raises(NotFoundError):
        stores.bob.get_job(run.id)
    seen = stores.bob
    lists = (seen.runs(), seen.summaries(), seen.going_on(), seen.waiting())
    assert not any(lists) and not seen.summaries(ids=[run.id])
    assert not seen.revisions("flowers") and not seen.find("run", "flowers")
    assert [one.id for one in stores.anna.summaries()] == [run.id]


DEEDS = {
    "stop": lambda store, run: queue.stop(store, run),
    "describe": lambda store, run: store.describe(run, note="x"),
    "resume": lambda store, run: queue.resume(store, run),
    "share": lambda store, run: store.share(run, "all"),
    "delete": lambda store, run: trash.put_run(store, run),
}


@pytest.mark.parametrize("deed", list(DEEDS))
def test_store__lets_nobody_else_do_anything_to_it(deed: str, stores: Stores) -> None:
    run = queue.submit(stores.anna, FLOWERS)
    with pytest.raises(NotFoundError):
        DEEDS[deed](stores.bob, run.id)
    stores.anna.share(run.id, Sharing.READ)
    with pytest.raises(NotAllowedError, match="belongs to somebody else"):
        DEEDS[deed](stores.bob, run.id)
    assert stores.anna.get(run.id).status is JobStatus.QUEUED


def test_store__shared_for_all_is_changed_but_not_deleted(stores: Stores) -> None:
    run = queue.submit(stores.anna, FLOWERS)
    stores.anna.share(run.id, Sharing.ALL)
    assert stores.bob.describe(run.id, note="seen").note == "seen"
    for deed in ("share", "delete"):
        with pytest.raises(NotAllowedError):
            DEEDS[deed](stores.bob, run.id)
    assert queue.stop(stores.bob, run.id)
    stores.anna.share(run.id, Sharing.PRIVATE)
    with pytest.raises(NotFoundError):
        stores.bob.get(run.id)


def test_queue__trains_on_no_dataset_and_from_no_run_of_somebody_else(
    stores: Stores,
) -> None:
    run = queue.submit(stores.anna, FLOWERS)
    with pytest.raises(NotFoundError, match='no dataset named "flowers"'):
        queue.submit(stores.bob, FLOWERS)
    stores.anna.datasets.share("flowers", Sharing.READ)
    with pytest.raises(NotFoundError, match="no run"):
        queue.submit(stores.bob, FLOWERS.model_copy(update={"start_from": run.id}))
    assert queue.submit(stores.bob, FLOWERS).owner == BOB.id


def test_queue__what_was_found_goes_with_what_it_is_about(stores: Stores) -> None:
    doctor = Request("doctor", "0123", ("doctor", "flowers"), dataset="flowers")
    run = queue.submit(stores.anna, FLOWERS)
    evaluation = requests.evaluate(run.id, "val")
    for asked in (doctor, evaluation):
        stores.anna.datasets.share("flowers", Sharing.PRIVATE)
        stores.anna.share(run.id, Sharing.PRIVATE)
        with pytest.raises(NotFoundError):
            queue.ask(stores.bob, asked)
        job = queue.ask(stores.anna, asked)
        assert stores.bob.find(asked.kind, asked.subject) is None
        stores.anna.datasets.share("flowers", Sharing.READ)
        stores.anna.share(run.id, Sharing.READ)
        assert queue.ask(stores.bob, asked).id == job.id
        with pytest.raises(NotFoundError):
            queue.stop(stores.bob, job.id)


def test_queue__a_job_that_waits_begins_only_if_it_still_may(stores: Stores) -> None:
    bob = {"subject": "name:bob", "name": "Bob", "role": Role.PARTICIPANT}
    person = stores.whole.people.add(**bob)
    assert person
    seen = stores.whole.view_for(rule.scope(person))
    stores.anna.datasets.share("flowers", Sharing.READ)
    run = queue.submit(seen, FLOWERS)
    stores.anna.datasets.share("flowers", Sharing.PRIVATE)
    started: list[str] = []
    queue.dispatch(stores.whole, lambda job: started.append(job.id))  # type: ignore
    assert not started
    ended = stores.whole.get(run.id)
    assert ended.status is JobStatus.FAILED
    assert ended.error["message"] == 'There is no dataset named "flowers".'


def test_queue__more_images_need_more_than_to_see_the_dataset(stores: Stores) -> None:
    more = requests.add(uploads.source(uploads.start()), "flowers", "", "bob", "")
    stores.anna.datasets.share("flowers", Sharing.READ)
    with pytest.raises(NotAllowedError, match="does not let you change it"):
        queue.ask(stores.bob, more)
    stores.anna.datasets.share("flowers", Sharing.ALL)
    assert queue.ask(stores.bob, more).owner == BOB.id


def test_queue__the_same_images_of_somebody_else_tell_nothing(stores: Stores) -> None:
    """Two who have the same pictures have the same revision, and must not learn it."""
    stores.whole.datasets.own("roses", BOB.id)
    anna, bob = (
        Request("doctor", "0123", ("doctor", name), dataset=name)
        for name in ("flowers", "roses")
    )
    queue.ask(stores.anna, anna)
    assert stores.bob.find(bob.kind, bob.subject) is None
    assert queue.ask(stores.bob, bob).settings["words"] == ["doctor", "roses"]


def test_datasets__are_listed_as_they_may_be_seen(stores: Stores) -> None:
    names = ["flowers", "nobodys"]
    assert stores.anna.datasets.readable(names) == ["flowers"]
    assert stores.bob.datasets.readable(names) == []
    assert stores.whole.datasets.readable(names) == names
    ada = stores.whole.view_for(rule.scope(ADA))
    assert ada.datasets.readable(names) == names
    ada.datasets.share("nobodys", Sharing.READ)
    assert stores.bob.datasets.readable(names) == ["nobodys"]


def test_datasets__a_new_one_of_an_old_name_is_private(stores: Stores) -> None:
    stores.anna.datasets.share("flowers", Sharing.ALL)
    stores.whole.datasets.own("flowers", BOB.id)
    assert stores.anna.datasets.readable(["flowers"]) == []


def test_audit__tells_who_shared_and_deleted(stores: Stores) -> None:
    run = queue.submit(stores.anna, FLOWERS)
    stores.anna.share(run.id, Sharing.READ)
    trash.put_run(stores.anna, run.id)
    told = [(one.name, one.action, one.thing) for one in stores.whole.people.events()]
    assert told == [
        ("anna", "delete", f"run {run.id}"),
        ("anna", "share", f"run {run.id}: read"),
    ]
