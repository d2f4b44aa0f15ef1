"""Tokens with which a person's programs ask the server, as that person.

A token is shown once, and the store has its hash alone. Where nobody signs in there
are none: who reaches the server is its owner.
"""

import hashlib
import secrets
import time
from typing import NamedTuple

from transfer.errors import ConfigError, NotAllowedError, NotFoundError
from transfer.people import rule
from transfer.people.auth import Mode, mode
from transfer.people.links import DAY
from transfer.store.people import OWNER, Person
from transfer.store.runs import Store
from transfer.store.tokens import Token

#: Days for which a token may be made, the usual first. What a provider of identities
#: takes back ends no token, so none lasts longer.
DAYS = (30, 1, 7, 90)
#: Tokens that a person has at a time, and letters of the name of one.
MOST, LONGEST = 20, 60
#: By which programs that look for forgotten secrets know one of ours.
_MARK = "transfer_"
#: What the subjects of people begin with who sign in so.
_SUBJECTS = {Mode.WORKSHOP: "name:", Mode.OIDC: "oidc:"}


class Asker(NamedTuple):
    """Who asks by a program, and whether that may start and stop too."""

    person: Person
    may_change: bool


def make(
    store: Store, person: Person, name: str, days: int, may_change: bool = False
) -> str:
    """A new token of a person, which is told this once.

    Args:
        name: What it is for, in the words of its person.
        days: For which it holds, of `DAYS`.
        may_change: Whether it starts and stops too.

    Raises:
        ConfigError: The name or the days cannot be, or there are too many tokens.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST or not name.isprintable():
        raise ConfigError(f"A name of 1 to {LONGEST} letters was expected.")
    if days not in DAYS:
        raise ConfigError(f"{days} days are none of {sorted(DAYS)}.")
    if len(store.tokens.of(person.id)) >= MOST:
        raise ConfigError(f"You have {MOST} tokens.", "Revoke one of them first.")
    made = _MARK + secrets.token_urlsafe(32)
    store.tokens.add(
        person=person.id,
        name=name,
        hash=_hash(made),
        may_change=may_change,
        expires_at=time.time() + days * DAY,
    )
    store.people.note(person, "new token", name)
    return made


def of_others(store: Store, actor: Person) -> list[tuple[Person, Token]]:
    """The tokens of all others, each with its person; empty for who may not see them.

    One of somebody who is gone lets nobody in, and is not told.
    """
    if not rule.may(actor, "tokens"):
        return []
    people = {one.id: one for one in store.people.all() if one.id != actor.id}
    every = store.tokens.all()
    return [(people[one.person], one) for one in every if one.person in people]


def revoke(store: Store, actor: Person, token: str) -> None:
    """Ends a token by its id, at once: one's own, or whichever for who may see it."""
    own = [(actor, one) for one in store.tokens.of(actor.id)]
    for person, one in (*own, *of_others(store, actor)):
        if one.id == token:
            store.tokens.remove(person.id, token)
            of = "" if person is actor else f" of {person.name}"
            store.people.note(actor, "revoke token", f"{one.name}{of}")


def find(store: Store, made: str) -> Asker:
    """Who asks with this token.

    Raises:
        NotAllowedError: It is none, has expired, was revoked, or its person is let in
            no more.
    """
    if mode() is Mode.OPEN:
        return Asker(OWNER, True)
    token = store.tokens.find(_hash(made)) if made else None
    if token and token.expires_at > time.time():
        person = _person(store, token.person)
        # Who came by a name and a code is somebody else than who signs in elsewhere.
        is_of_here = person and person.subject.startswith(_SUBJECTS[mode()])
        if person and is_of_here and person.is_let_in:
            return Asker(person, token.may_change)
    raise NotAllowedError(
        "This token is not valid, or not any more." if made else "A token is missing.",
        "Make one on the page API, and send it as `Authorization: Bearer TOKEN`.",
    )


def _person(store: Store, person_id: str) -> Person | None:
    try:
        return store.people.get(person_id)
    except NotFoundError:
        return None


def _hash(made: str) -> str:
    # 256 random bits cannot be guessed from it, so it need not be slow.
    return hashlib.sha256(made.encode()).hexdigest()
