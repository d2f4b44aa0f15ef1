"""How people sign in here: the one setting `TRANSFER_AUTH`, read when it is used."""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any

from transfer.errors import ConfigError, NotAllowedError
from transfer.store.people import Person, Role
from transfer.store.runs import Store

#: Says the second time that a server without sign-in is to be reached by others.
SECOND = "TRANSFER_OPEN_TO_ALL"
#: Addresses at which only this machine reaches a server.
_HERE = ("localhost", "127.0.0.1", "::1")
#: Who has a role where a provider signs people in; the highest role first.
_NAMED = {
    Role.ADMINISTRATOR: "TRANSFER_ADMINISTRATORS",
    Role.INSTRUCTOR: "TRANSFER_INSTRUCTORS",
}


class Mode(StrEnum):
    """How people sign in.

    `open`: nobody does, there is one owner; `workshop`: with the instructor's access
    code and a name; `oidc`: at a provider of identities (OpenID Connect).
    """

    OPEN = "open"
    WORKSHOP = "workshop"
    OIDC = "oidc"


#: For which a session lasts, where no variable says otherwise.
_HOURS = {Mode.OPEN: 24, Mode.WORKSHOP: 14 * 24, Mode.OIDC: 12}


def mode() -> Mode:
    """What `TRANSFER_AUTH` says, else `open`.

    Raises:
        ConfigError: It is none of the three.
    """
    named = os.environ.get("TRANSFER_AUTH") or Mode.OPEN.value
    try:
        return Mode(named)
    except ValueError as error:
        raise ConfigError(
            f"TRANSFER_AUTH is {named!r}, but {', '.join(Mode)} was expected."
        ) from error


def longest_session() -> float:
    """Seconds for which a session lasts at the most: `TRANSFER_SESSION_HOURS`, else
    14 days in a workshop, and 12 hours from when a provider spoke for somebody.

    Raises:
        ConfigError: The variable is no number of hours.
    """
    named = os.environ.get("TRANSFER_SESSION_HOURS") or str(_HOURS[mode()])
    with suppress(ValueError):
        if 0 < float(named) < float("inf"):
            return float(named) * 3600
    raise ConfigError(
        f"TRANSFER_SESSION_HOURS is {named!r}, but a number of hours was expected."
    )


def check_address(address: str) -> None:
    """Returns quietly where a server of this mode may listen at the address.

    Args:
        address: Where it listens; empty for every address of the machine.

    Raises:
        ConfigError: Others would reach it, nobody signs in, and that was said once.
    """
    if mode() is not Mode.OPEN or address in _HERE or os.environ.get(SECOND) == "yes":
        return
    raise ConfigError(
        f"The server would listen at {address or 'every address'} and let anybody who "
        "reaches it see and delete everything, for TRANSFER_AUTH is open.",
        "Have people sign in (TRANSFER_AUTH=workshop, or oidc), or listen at 127.0.0.1 "
        f"alone; if all may indeed do everything, say so again with {SECOND}=yes.",
    )


def recognise(store: Store, claims: Mapping[str, Any]) -> Person:
    """The person that a provider of identities speaks of, with today's name and role.

    Args:
        claims: Of the identity token, whose signature was checked.

    Raises:
        NotAllowedError: They are too old, or were signed out since.
    """
    now, spoke = time.time(), int(claims.get("iat") or 0)
    if float(claims.get("exp") or 0) < now or now - spoke > longest_session():
        raise NotAllowedError("The sign-in is too old.", "Sign in again.")
    subject = f"oidc:{claims['iss']} {claims['sub']}"
    name = str(claims.get("name") or claims.get("email") or claims["sub"])[:80]
    told = {"name": name, "role": role_of(claims)}
    person = store.people.find(subject) or store.people.add(subject=subject, **told)
    # Of two who came at once one was the first.
    person = person or store.people.find(subject)
    if person is None or spoke <= person.ended:
        raise NotAllowedError("You have signed out.", "Sign in again.")
    if told != {"name": person.name, "role": person.role}:
        person = store.people.change(person.id, **told)
    return person


def role_of(claims: Mapping[str, Any]) -> Role:
    """The role of whom a provider speaks of, by address or group.

    An address counts only if the provider says that it was checked: else anybody could
    write an administrator's into their own account.
    """
    address = str(claims.get("email") or "").casefold()
    groups = claims.get("groups") or ()
    has = {f"group:{one}" for one in groups if not isinstance(groups, str)}
    # What is called `group:` counts as a group only if the provider says so.
    if claims.get("email_verified") is True and not address.startswith("group:"):
        has.add(address)
    for role, variable in _NAMED.items():
        named = os.environ.get(variable, "").split(",")
        wanted = {
            one if one.startswith("group:") else one.casefold()
            for one in map(str.strip, named)
        }
        if (has - {""}) & wanted:
            return role
    return Role.PARTICIPANT
