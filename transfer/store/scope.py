"""How much of the store somebody sees: a store is of all, or of what one person may.

The rule itself is in `people.rule`, which makes a scope of it.
"""

from typing import Any, Protocol

import sqlalchemy as sa

from transfer.store.people import OWNER, Person
from transfer.store.record import RUN
from transfer.store.tables import datasets, jobs

#: The sharing of the dataset by which runs that are handed in are judged.
HIDDEN = "hidden"


class Thing(Protocol):
    """What belongs to somebody, or to nobody, and is shared or not."""

    @property
    def owner(self) -> str | None: ...
    @property
    def sharing(self) -> str: ...


class Scope(Protocol):
    """What somebody may with which rows."""

    @property
    def actor(self) -> Person:
        """Who it is."""

    def where(self, action: str, table: Any) -> sa.ColumnElement[bool]:
        """The rows of a table with `owner` and `sharing` that the action may be on."""

    def may(self, action: str, thing: Thing) -> bool:
        """Whether the action may be on the thing."""

    def check(self, action: str, thing: Thing, called: str) -> None:
        """Returns quietly where the action may be on the thing.

        Raises:
            NotFoundError: It may not be seen: as if there were none.
            NotAllowedError: It may be seen, and no more.
        """

    def check_server(self, what: str) -> None:
        """Returns quietly where what is of the server may be used; see `rule`.

        Raises:
            NotAllowedError: They may not.
        """


class Everything:
    """Of the owner where nobody signs in, of the command line, of workers."""

    actor = OWNER

    def where(self, action: str, table: Any) -> sa.ColumnElement[bool]:  # noqa: ARG002
        """All rows."""
        return sa.true()

    def may(self, action: str, thing: Thing) -> bool:  # noqa: ARG002
        """Yes."""
        return True

    def check(self, action: str, thing: Thing, called: str) -> None:
        """All may be done."""

    def check_server(self, what: str) -> None:
        """All may be used."""


EVERYTHING: Scope = Everything()
#: What lies in the trash too: for whoever asks what may go.
WITH_TRASH: Scope = Everything()


def readable(scope: Scope) -> sa.ColumnElement[bool]:
    """The jobs that may be seen: by themselves, or with what they are about."""
    if scope is WITH_TRASH:
        return sa.true()
    is_there = jobs.c.trash == ""
    if scope is EVERYTHING:
        return is_there
    runs, about = jobs.alias(), jobs.c.kind != RUN
    of_runs = sa.select(runs.c.id).where(runs.c.kind == RUN, scope.where("read", runs))
    names = sa.select(datasets.c.name).where(scope.where("read", datasets))
    # What somebody else has had computed of a dataset with the same images is found by
    # nobody: only of one that may be seen itself.
    of_thing = jobs.c.run.in_(of_runs) | jobs.c.dataset.in_(names)
    return is_there & (scope.where("read", jobs) | (about & of_thing))
