"""How somebody comes into a workshop: with its code, a name, and later their own."""

import time
import unicodedata
from typing import NamedTuple

from transfer.errors import ConfigError, NotAllowedError
from transfer.people import codes, pace
from transfer.store.people import Person, Role
from transfer.store.runs import Store

MAX_NAME_LENGTH = 40


class Joined(NamedTuple):
    """Somebody who came in.

    Attributes:
        person: Who.
        code: Their own code, told this once; empty for who came back with it.
    """

    person: Person
    code: str


def join(store: Store, access: str, name: str, own: str, address: str) -> Joined:
    """Somebody new, or somebody who comes back.

    Args:
        access: The workshop's code for participants, or that for instructors.
        name: What somebody wants to be called.
        own: The code of their own, where the name is taken.
        address: Where the try comes from.

    Raises:
        NotAllowedError: A code is wrong, or there were too many wrong tries.
        ConfigError: The name cannot be used.
    """
    role = _role(store, access, address)
    name = " ".join(name.split())
    subject = f"name:{unicodedata.normalize('NFKC', name).casefold()}"
    if not 1 <= len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise ConfigError(
            f"A name of 1 to {MAX_NAME_LENGTH} letters was expected, and {len(name)} "
            "came."
        )
    if person := store.people.find(subject):
        return Joined(_come_back(store, person, own, role), "")
    code = codes.make(6)
    ends_at = codes.workshop().ends_at if role is Role.PARTICIPANT else None
    who = {"subject": subject, "name": name, "role": role, "expires_at": ends_at}
    if person := store.people.add(code=codes.hash_of(code), **who):
        return Joined(person, code)
    raise _is_taken(name)  # by somebody who came at the same moment


def _role(store: Store, access: str, address: str) -> Role:
    pace.check_tries(store, "access", address)
    workshop = codes.workshop()
    if codes.is_same(access, workshop.instructor):
        return Role.INSTRUCTOR
    if not codes.is_same(access, workshop.access):
        pace.count_wrong(store, "access", address)
        raise NotAllowedError(
            "That is not the access code of this workshop.",
            "Ask the instructor for it.",
        )
    if workshop.ends_at < time.time():
        raise NotAllowedError(
            "This workshop has ended.", "Ask the instructor for a new access code."
        )
    return Role.PARTICIPANT


def _come_back(store: Store, person: Person, own: str, role: Role) -> Person:
    if not own:
        raise _is_taken(person.name)
    pace.check_tries(store, "own", person.id)
    if not codes.fits(own, person.code):
        pace.count_wrong(store, "own", person.id)
        raise NotAllowedError(
            f"That is not the code of {person.name}.",
            "It was shown when this name joined. The instructor can make a new one.",
        )
    changes: dict[str, object] = {}
    if role is Role.INSTRUCTOR and person.role is Role.PARTICIPANT:
        changes = {"role": role, "expires_at": None}
    elif person.expires_at is not None:
        changes = {"expires_at": codes.workshop().ends_at}
    return store.people.change(person.id, **changes) if changes else person


def _is_taken(name: str) -> NotAllowedError:
    return NotAllowedError(
        f"Somebody is called {name} already.",
        "If that is you, type your own code too; else choose another name.",
    )
