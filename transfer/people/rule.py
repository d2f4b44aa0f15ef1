"""What somebody may: one rule, that tells what lists show and what guards refuse.

An actor may do to a thing what its owner may, what the role of the actor allows with
all things, and what the owner has let others do. `may` asks it of one thing, `where` of
the rows of a table; a test holds that they say the same.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy as sa

from transfer.errors import NotAllowedError, NotFoundError
from transfer.people.auth import Mode, mode
from transfer.store.people import Person, Role
from transfer.store.scope import EVERYTHING, HIDDEN, Scope, Thing


class Sharing(StrEnum):
    """What the owner lets everybody else do who has signed in.

    `hidden` is a dataset by which runs are judged: private, and stays so.
    """

    PRIVATE = "private"
    READ = "read"
    ALL = "all"
    HIDDEN = HIDDEN


class _Allowed(NamedTuple):
    """Who may do something besides the owner.

    Attributes:
        shared: With which sharing everybody may.
        role: From which role on somebody may with every thing.
    """

    shared: tuple[Sharing, ...]
    role: Role


#: Of things with an owner. To read is also to use: to train on, predict with, export.
RULE = {
    "read": _Allowed((Sharing.READ, Sharing.ALL), Role.INSTRUCTOR),
    "change": _Allowed((Sharing.ALL,), Role.ADMINISTRATOR),
    "stop": _Allowed((Sharing.ALL,), Role.INSTRUCTOR),
    "share": _Allowed((), Role.ADMINISTRATOR),
    "delete": _Allowed((), Role.ADMINISTRATOR),
}
#: Of the server itself: its folders, the order of its queue, the pretrained weights
#: that all share, the class (who does what, what is handed out, the hidden test set),
#: and with which programs others ask.
OF_SERVER = {
    "folders": Role.ADMINISTRATOR,
    "queue": Role.ADMINISTRATOR,
    "weights": Role.INSTRUCTOR,
    "class": Role.INSTRUCTOR,
    "tokens": Role.ADMINISTRATOR,
}

_RANK = [*Role]


def may(actor: Person, action: str, thing: Thing | None = None) -> bool:
    """Whether somebody may do something.

    Args:
        actor: Who.
        action: One of `RULE`, to a thing; or one of `OF_SERVER`.
        thing: Has an owner; `None` for what is of the server.
    """
    if thing is None:
        return _has(actor, OF_SERVER[action])
    allowed = RULE[action]
    is_own = thing.owner is not None and thing.owner == actor.id
    return is_own or _has(actor, allowed.role) or thing.sharing in allowed.shared


def where(actor: Person, action: str, table: Any) -> sa.ColumnElement[bool]:
    """The same of the rows of a table with the columns `owner` and `sharing`."""
    allowed = RULE[action]
    if _has(actor, allowed.role):
        return sa.true()
    return sa.or_(table.c.owner == actor.id, table.c.sharing.in_(allowed.shared))


def scope(actor: Person) -> Scope:
    """How much of the store somebody sees and may change."""
    return EVERYTHING if mode() is Mode.OPEN else _Of(actor)


@dataclass(frozen=True)
class _Of:
    """What one person sees; see `store.scope.Scope`."""

    actor: Person

    def where(self, action: str, table: Any) -> sa.ColumnElement[bool]:
        """See `where`."""
        return where(self.actor, action, table)

    def may(self, action: str, thing: Thing) -> bool:
        """See `may`."""
        return may(self.actor, action, thing)

    def check(self, action: str, thing: Thing, called: str) -> None:
        """Returns quietly where the action may be on the thing."""
        if not self.may("read", thing):
            raise NotFoundError(f"There is no {called[0].lower()}{called[1:]}.")
        if not self.may(action, thing):
            raise NotAllowedError(
                f"{called[0].upper()}{called[1:]} belongs to somebody else, who does "
                f"not let you {action} it.",
                "Ask its owner or an administrator.",
            )

    def check_server(self, what: str) -> None:
        """Returns quietly where what is of the server may be used, of `OF_SERVER`."""
        if not may(self.actor, what):
            raise NotAllowedError(
                f"What concerns the {what} here is for those who are {OF_SERVER[what]} "
                "or more.",
                "Ask one of them.",
            )


def _has(actor: Person, role: Role) -> bool:
    return _RANK.index(actor.role) >= _RANK.index(role)
