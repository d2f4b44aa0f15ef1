"""How much one person may have: on the disk, in the queue, at work; by role.

Where nobody signs in there are no limits, and for administrators there are none.
"""

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from transfer import workspace
from transfer.errors import ConfigError, LimitError, NotFoundError
from transfer.people import auth, usage
from transfer.people.auth import Mode, mode
from transfer.people.usage import Usage
from transfer.store.people import Person, Role
from transfer.store.runs import Store


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one person may have; `None` is no limit.

    Attributes:
        disk: Bytes of their images, runs and uploads.
        images: In their datasets.
        queued: Jobs that wait.
        running: Jobs at work at a time; others wait.
        hours: Of work within the last 24 hours, all jobs together.
    """

    disk: float | None = None
    images: float | None = None
    queued: float | None = None
    running: float | None = None
    hours: float | None = None


NO_LIMITS = Limits()
#: Where no variable says otherwise; administrators have none.
DEFAULTS = {
    Role.PARTICIPANT: Limits(disk=5e9, images=20_000, queued=10, running=3, hours=8),
    Role.INSTRUCTOR: Limits(disk=50e9, images=200_000, queued=50, running=6, hours=48),
}
#: Where a server says otherwise: `disk=10 images=none`, the disk in GB.
VARIABLES = {
    Role.PARTICIPANT: "TRANSFER_LIMITS",
    Role.INSTRUCTOR: "TRANSFER_INSTRUCTOR_LIMITS",
}
_GB = 1e9


class _Words(NamedTuple):
    """How a limit is told.

    Attributes:
        figure: What somebody has, of what they may.
        mend: What to do once it is reached.
    """

    figure: Callable[[float, float], str]
    mend: str


def _count(what: str) -> Callable[[float, float], str]:
    return lambda used, most: f"{used:,.0f} of {most:,.0f} {what}"


def _disk(used: float, most: float) -> str:
    return f"{used / _GB:.1f} of {most / _GB:g} GB"


def _hours(used: float, most: float) -> str:
    return f"{used:.1f} of {most:g} hours of work within 24 hours"


_MORE = "or ask the instructor for more room"
WORDS = {
    "disk": _Words(_disk, f"Delete what you do not need and empty the trash, {_MORE}."),
    "images": _Words(_count("images"), f"Delete a dataset or bring fewer, {_MORE}."),
    "queued": _Words(
        _count("jobs queued"), "Wait until one has begun, or cancel one of them."
    ),
    "running": _Words(_count("jobs at work"), "It begins once one of them has ended."),
    "hours": _Words(
        _hours, "It goes on as what was done a day ago is forgotten, hour by hour."
    ),
}


def of(person: Person) -> Limits:
    """What this person may have.

    Raises:
        ConfigError: What a variable says cannot be read.
    """
    if mode() is Mode.OPEN or not person.id or person.role not in DEFAULTS:
        return NO_LIMITS
    variable = VARIABLES[person.role]
    said = _read(variable, auth.setting(variable))
    return replace(DEFAULTS[person.role], **said)


def figures(limits: Limits, used: Usage, *which: str) -> list[str]:
    """What somebody has of what they may: `1.2 of 5 GB`; of no limit nothing."""
    return [
        WORDS[name].figure(getattr(used, name), most)
        for name in which
        if (most := getattr(limits, name)) is not None
    ]


def part(limits: Limits, used: Usage, name: str) -> float:
    """Which part of a limit is used; 0 where there is none."""
    most = getattr(limits, name)
    return 0.0 if most is None else float(getattr(used, name) / max(most, 1e-9))


def check(limits: Limits, used: Usage, **more: float) -> None:
    """Returns quietly where somebody may have so much more.

    Args:
        limits: What they may have.
        used: What they have.
        more: What is to come, by the names of `Limits`; 0 where any more would do.

    Raises:
        LimitError: They may not; it says what they have and how to mend it.
    """
    for name, wanted in more.items():
        most, has = getattr(limits, name), getattr(used, name)
        if most is not None and (has + wanted > most or has >= most):
            says, needs = WORDS[name].figure(has, most), _needs(name, wanted)
            raise LimitError(f"You use {says}{needs}.", WORDS[name].mend)


def require(store: Store, owner: str | None, **more: float) -> None:
    """As `check`, of what somebody has now.

    Args:
        store: Any view of it.
        owner: Who; `None` and empty for nobody, who has no limits.
        more: As in `check`.
    """
    limits = _of_owner(store, owner)
    if owner and limits is not NO_LIMITS:
        check(limits, usage.of(store, owner), **more)


def at_work(store: Store, owner: str | None) -> float | None:
    """Jobs that somebody may have at work at a time; `None` for however many."""
    return _of_owner(store, owner).running


def rest(store: Store, owner: str | None) -> str:
    """Why jobs of somebody wait whoever's turn it is; empty where they need not."""
    return rests(store, [owner])[owner]


def rests(store: Store, owners: Collection[str | None]) -> dict[str | None, str]:
    """As `rest`, of several people at once."""
    ids = [one for one in owners if one]
    people = store.people.those(ids) if ids and mode() is not Mode.OPEN else {}
    of_each = {one: _of_person(one, people.get(one)) for one in ids}
    limited = [one for one, most in of_each.items() if most is not NO_LIMITS]
    used = usage.of_works(store, limited) if limited else {}
    reasons = {one: _reason(of_each[one], used[one]) for one in limited}
    return {owner: reasons.get(owner or "", "") for owner in owners}


def _reason(limits: Limits, used: Usage) -> str:
    return next(
        (
            f"{WORDS[name].figure(getattr(used, name), most)} are used"
            for name in ("running", "hours")
            if (most := getattr(limits, name)) is not None
            and getattr(used, name) >= most
        ),
        "",
    )


def _of_owner(store: Store, owner: str | None) -> Limits:
    if mode() is Mode.OPEN or not owner:
        return NO_LIMITS
    try:
        return of(store.people.get(owner))
    except NotFoundError:
        return _of_person(owner, None)


def _of_person(owner: str, person: Person | None) -> Limits:
    # One who is gone, while work of theirs still waits.
    return of(person or Person(id=owner, name="", role=Role.PARTICIPANT))


def _needs(name: str, wanted: float) -> str:
    if name == "disk" and wanted:
        return f", and {workspace.amount(wanted)} more would be needed"
    return f", and {wanted:,.0f} more came" if name == "images" and wanted else ""


def _read(variable: str, said: str) -> dict[str, float | None]:
    """The limits that a variable sets."""
    found = dict[str, float | None]()
    for word in said.replace(",", " ").split():
        name, _, value = word.partition("=")
        try:
            if name not in asdict(NO_LIMITS):
                raise ValueError
            number = None if value == "none" else float(value)
        except ValueError as error:
            raise ConfigError(
                f"{variable} says {word!r}, but {', '.join(WORDS)} with a number was "
                "expected, such as disk=10 images=none.",
                "The disk is in GB, hours are those of a day.",
            ) from error
        found[name] = number * _GB if number and name == "disk" else number
    return found
