"""Whose the datasets are, and who may see them; their files lie with the library."""

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from transfer.datasets import library, names
from transfer.errors import NameTakenError, NotAllowedError
from transfer.store.database import Database
from transfer.store.people import People
from transfer.store.scope import EVERYTHING, HIDDEN, Scope
from transfer.store.tables import datasets


class Owned(NamedTuple):
    """A dataset as something that belongs to somebody; `None` is nobody."""

    name: str
    owner: str | None
    sharing: str


class Datasets:
    """The owners of the datasets, reached as `store.datasets`."""

    def __init__(self, database: Database, scope: Scope = EVERYTHING) -> None:
        self._database, self._scope = database, scope

    def get(self, name: str) -> Owned:
        """Whose it is; nobody's where that was never said."""
        query = sa.select(datasets).where(datasets.c.name == name)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return Owned(*row) if row else Owned(name, None, "private")

    def check(self, action: str, name: str) -> None:
        """Returns quietly where the action may be on the dataset of this name.

        Raises:
            NotFoundError: It may not be seen, as if there were none.
            NotAllowedError: It may be seen, and no more.
        """
        if self._scope is not EVERYTHING:
            self._scope.check(
                action, self.get(name), f'dataset named "{names.title(name)}"'
            )

    def readable(self, names: Collection[str]) -> list[str]:
        """Those of the names that may be seen, in their order."""
        if self._scope is EVERYTHING:
            return list(names)
        of_all = self.of(names)
        return [one.name for one in of_all if self._scope.may("read", one)]

    def of(self, names: Collection[str]) -> list[Owned]:
        """Whose each is, in their order; see `get`."""
        known = self.all()
        return [known.get(name, Owned(name, None, "private")) for name in names]

    def all(self) -> dict[str, Owned]:
        """Whose each is, by name, where that was ever said."""
        with self._database.reading() as connection:
            owned = [Owned(*row) for row in connection.execute(sa.select(datasets))]
        return {one.name: one for one in owned}

    def new(self, name: str) -> str:
        """What a new dataset of whoever sees this store is to be kept under.

        Args:
            name: What it is to be called; others may have one called so.

        Raises:
            ConfigError: It cannot be called so.
            NameTakenError: They have one of that name.
        """
        library.check_name(kept := names.kept_under(name, self._scope.actor.id))
        if self._scope.actor.id:
            mine = sa.select(datasets.c.name).filter_by(owner=self._scope.actor.id)
            with self._database.reading() as connection:
                had = {names.title(one) for one in connection.scalars(mine)}
            if taken := {one for one in had if one.casefold() == name.casefold()}:
                raise NameTakenError(
                    f'There is already a dataset named "{taken.pop()}".',
                    "Choose another name or delete that dataset first.",
                )
        return kept

    def own(self, name: str, owner: str | None) -> None:
        """Notes whose a new dataset is; private, whatever one of that name was."""
        with self._database.writing(alone=True) as connection:
            connection.execute(sa.delete(datasets).where(datasets.c.name == name))
            values = {"name": name, "owner": owner}
            connection.execute(sa.insert(datasets).values(values))

    def share(self, name: str, sharing: str) -> None:
        """Lets others see or change it, or no more.

        Raises:
            NotFoundError, NotAllowedError: As `check`; or it is the hidden test set.
        """
        self.check("share", name)
        with self._database.writing(alone=True) as connection:
            # Together: it may be hidden at the same moment.
            if _sharing(connection, name) == HIDDEN:
                raise NotAllowedError(
                    f'"{names.title(name)}" is the hidden test set, which nobody else '
                    "may see.",
                    "On the page Workshop it can be made a dataset like others again.",
                )
            _set(connection, name, sharing)
        self._note(name, sharing)

    def hide(self, name: str) -> None:
        """Makes it the hidden test set, in place of any before; empty for none.

        Raises:
            NotFoundError, NotAllowedError: As `check`.
        """
        if name:
            self.check("share", name)
        others = (datasets.c.sharing == HIDDEN) & (datasets.c.name != name)
        with self._database.writing(alone=True) as connection:
            # All that are: two who hide at once would else leave two.
            before = [*connection.scalars(sa.select(datasets.c.name).where(others))]
            for one in before:
                _set(connection, one, "private")
            if name:
                _set(connection, name, HIDDEN)
        for one in before:
            self._note(one, "private")
        if name:
            self._note(name, HIDDEN)

    def hidden_set(self) -> Owned | None:
        """The hidden test set, whoever asks; `None` if there is none."""
        query = sa.select(datasets).where(datasets.c.sharing == HIDDEN)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return Owned(*row) if row else None

    def _note(self, name: str, sharing: str) -> None:
        told = f"dataset {name}: {sharing}"
        People(self._database).note(self._scope.actor, "share", told)


def _sharing(connection: sa.Connection, name: str) -> str | None:
    """What others may do with it; `None` where nothing was ever said of it."""
    one = datasets.c.name == name
    return connection.scalar(sa.select(datasets.c.sharing).where(one))


def _set(connection: sa.Connection, name: str, sharing: str) -> None:
    if _sharing(connection, name) is None:
        connection.execute(sa.insert(datasets).values(name=name))
    changed = sa.update(datasets).where(datasets.c.name == name)
    connection.execute(changed.values(sharing=sharing))
