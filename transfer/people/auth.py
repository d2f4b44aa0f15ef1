"""How people sign in here: the one setting `TRANSFER_AUTH`, read when it is used."""

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from transfer import workspace
from transfer.errors import ConfigError, NotAllowedError
from transfer.store.people import Person, Role
from transfer.store.runs import Store

#: Says how people sign in.
AUTH = "TRANSFER_AUTH"
#: What begins the jobs of people has to know of a server: how they sign in, and what
#: they may have.
_OF_PEOPLE = (AUTH, "TRANSFER_LIMITS", "TRANSFER_INSTRUCTOR_LIMITS")
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
    """What `TRANSFER_AUTH` says, see `setting`; else `open`.

    Raises:
        ConfigError: It is none of the three.
    """
    return _mode(setting(AUTH))


def setting(variable: str) -> str:
    """What a variable says, else what the server of this workspace was told by it.

    So the command line, and workers on other machines, hold people to the same without
    being told once more.
    """
    return os.environ.get(variable) or _of_server().get(variable, "")


def tell_settings() -> None:
    """Notes for them what this server was told, who goes by it whatever another tells.

    Raises:
        StorageError: The workspace cannot be written.
    """
    told = {name: os.environ.get(name, "") for name in _OF_PEOPLE}
    told[AUTH] = os.environ[AUTH] = _mode(told[AUTH]).value
    workspace.write_atomically(_path(), json.dumps(told).encode())


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
    # What this server is told itself: another one may be of the same workspace.
    is_open = _mode(os.environ.get(AUTH, "")) is Mode.OPEN
    if not is_open or address in _HERE or os.environ.get(SECOND) == "yes":
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


def _mode(named: str) -> Mode:
    try:
        return Mode(named or Mode.OPEN)
    except ValueError as error:
        raise ConfigError(
            f"{AUTH} is {named!r}, but {', '.join(Mode)} was expected."
        ) from error


def _path() -> Path:
    return workspace.home() / "server.json"


def _of_server() -> Mapping[str, str]:
    path = _path()
    with suppress(OSError):  # no server was here yet
        return _read(path, path.stat().st_mtime_ns)
    return {}


@lru_cache(maxsize=1)
def _read(path: Path, _: int) -> Mapping[str, str]:
    found: dict[str, str] = json.loads(path.read_bytes())
    return found
