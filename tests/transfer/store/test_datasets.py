"""Whose the datasets are, and which of them is the hidden test set."""

import pytest
import sqlalchemy as sa

from transfer.errors import NotAllowedError
from transfer.store.runs import Store
from transfer.store.tables import datasets


def sharing(store: Store) -> dict[str, str]:
    return {name: one.sharing for name, one in store.datasets.all().items()}


def test_hide__there_is_one_hidden_set_whatever_others_did_at_the_same_moment(
    store: Store,
) -> None:
    for name in ("first", "second", "third"):
        store.datasets.own(name, "12345678")
    store.datasets.hide("first")
    with store._database.writing() as connection:  # by another server, just now
        second = sa.update(datasets).where(datasets.c.name == "second")
        connection.execute(second.values(sharing="hidden"))
    store.datasets.hide("third")
    private = dict.fromkeys(("first", "second"), "private")
    assert sharing(store) == {**private, "third": "hidden"}
    store.datasets.hide("")
    assert sharing(store) == {**private, "third": "private"}


def test_share__of_the_hidden_set_is_refused_by_what_stands_then(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is hidden after it was asked whether it may be shared."""
    store.datasets.own("pets", "12345678")
    hides = iter([True])

    def check(*_: object) -> None:
        if next(hides, False):
            store.datasets.hide("pets")

    monkeypatch.setattr(type(store.datasets), "check", check)
    with pytest.raises(NotAllowedError, match="hidden test set"):
        store.datasets.share("pets", "all")
    assert sharing(store) == {"pets": "hidden"}
