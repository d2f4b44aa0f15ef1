"""The order of those who wait, changed by hand."""

import pytest

from tests.transfer.runs.processes_made import FLOWERS
from transfer.__main__ import main
from transfer.errors import NotAllowedError, RunError
from transfer.people import rule
from transfer.runs import order, places, queue
from transfer.store.people import Role
from transfer.store.runs import Store


@pytest.fixture
def line(store: Store) -> dict[str, str]:
    """Ids of runs that wait, by their names."""
    made = [store.create(FLOWERS, name) for name in ("one", "two", "three", "four")]
    return {one.name: one.id for one in made}


def names(store: Store) -> list[str]:
    return [store.get(one).name for one in places.places(store)]


@pytest.mark.parametrize(
    ("moves", "after"),
    [
        ([("four", "front")], "four one two three"),
        ([("four", "front"), ("two", "front")], "two four one three"),
        ([("three", "up")], "one three two four"),
        ([("one", "down")], "two one three four"),
        ([("four", "front"), ("four", "down")], "one four two three"),
        ([("one", "up"), ("four", "down")], "one two three four"),
    ],
    ids=str,
)
def test_move__as_it_was_asked(
    store: Store, line: dict[str, str], moves: list[tuple[str, order.To]], after: str
) -> None:
    for name, to in moves:
        order.move(store, line[name], to)
    assert " ".join(names(store)) == after


def test_move__who_comes_later_waits_behind_and_taking_keeps_the_order(
    store: Store, line: dict[str, str]
) -> None:
    order.move(store, line["three"], "front")
    store.create(FLOWERS, "new")
    told = names(store)
    assert told == ["three", "one", "two", "four", "new"]
    taken = [store.claim_next("here", {("run",): 9}) for _ in told]
    assert [store.get(one.id).name for one in taken if one] == told


def test_move__only_what_waits(store: Store, line: dict[str, str]) -> None:
    store.claim_next("here", {("run",): 9})
    with pytest.raises(RunError, match="is running: only what waits can be moved"):
        order.move(store, line["one"], "front")


def test_move_and_stop__by_whom_the_rule_lets_and_it_is_kept_who_did(
    store: Store, line: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    views = {}
    for role in Role:
        made = store.people.add(subject=role, name=role, role=role)
        assert made
        views[role] = store.view_for(rule.scope(made))
    own = store.create(FLOWERS, "own", views[Role.PARTICIPANT].owner)
    for role in (Role.PARTICIPANT, Role.INSTRUCTOR):
        with pytest.raises(NotAllowedError, match="the queue here"):
            order.move(views[role], own.id, "front")
    order.move(views[Role.ADMINISTRATOR], own.id, "front")
    assert names(store)[0] == "own"
    queue.stop(views[Role.INSTRUCTOR], own.id)
    told = [(one.name, one.action, one.thing) for one in store.people.events(2)]
    assert told == [
        ("instructor", "stop", f"run {own.id}"),
        ("administrator", "move", f"run {own.id}: front"),
    ]


def test_resume__what_was_moved_once_is_not_first_for_ever(
    store: Store, line: dict[str, str]
) -> None:
    order.move(store, line["four"], "front")
    queue.stop(store, line["four"])
    store.resume(line["four"])
    assert names(store)[0] == "one"


def test_queue__tells_and_moves(
    store: Store, line: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["queue", line["four"], "--to", "front", "--json"]) == 0
    told = capsys.readouterr().out
    assert told.index('"four"') < told.index('"one"')
    assert main(["queue", line["four"]]) == 2
