"""`workshop`, `people` and `audit`: who may come in, who is here, who did what.

Whoever types at the command line of the server has all its files, and so is its
administrator, whatever `TRANSFER_AUTH` says.
"""

import argparse
import time
from typing import Any

from transfer.commands import options
from transfer.commands.options import Command
from transfer.errors import NotFoundError
from transfer.people import codes
from transfer.store.people import OWNER, Person, Role
from transfer.store.runs import Store
from transfer.store.tokens import Token


def add_to(command: Command) -> None:
    """Adds the words to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    one = command("workshop", workshop, "tell the codes by which people join")
    one.add_argument("--new", action="store_true", help="make new ones")
    one.add_argument(
        "--days",
        type=float,
        default=codes.DAYS,
        help="for which new ones, and who comes with them, are let in",
    )
    who = command("people", people, "list the people, or change one of them")
    who.add_argument("person", nargs="?", metavar="PERSON", help="name or id")
    who.add_argument("--role", choices=[*Role], help="what this person is from now on")
    who.add_argument(
        "--new-code", action="store_true", help="make a new code of their own"
    )
    who.add_argument(
        "--sign-out", action="store_true", help="end all sessions and tokens"
    )
    who.add_argument("--revoke", metavar="TOKEN", help="end one token, by its id")
    told = command("audit", audit, "tell who deleted, shared, signed in")
    told.add_argument("--last", type=int, default=100, help="so many, newest first")


def workshop(args: argparse.Namespace) -> dict[str, Any]:
    """The codes of the workshop, and until when they hold."""
    now = codes.renew(args.days) if args.new else codes.workshop()
    if args.new:
        _note(Store(), "new codes", "workshop")
    return {
        "access_code": now.access,
        "instructor_code": now.instructor,
        "until": _day(now.ends_at),
    }


def people(args: argparse.Namespace) -> dict[str, Any]:
    """Everybody, or somebody as they are after a change."""
    store = Store()
    if args.person is None:
        return {"people": [_record(one) for one in store.people.all()]}
    person, told = _find(store, args.person), dict[str, Any]()
    if args.role:
        person = store.people.change(person.id, role=args.role)
        _note(store, "role", f"{person.name} is {args.role}")
    if args.new_code:
        told["own_code"] = codes.make(6)
        store.people.change(person.id, code=codes.hash_of(told["own_code"]))
        _note(store, "new code", person.name)
    if args.sign_out:
        store.people.end_sessions(person.id, int(time.time()))
        store.tokens.remove(person.id)
        _note(store, "sign out", person.name)
    if args.revoke:
        if args.revoke not in {one.id for one in store.tokens.of(person.id)}:
            raise NotFoundError(f"{person.name} has no token {args.revoke}.")
        store.tokens.remove(person.id, args.revoke)
        _note(store, "revoke token", f"{args.revoke} of {person.name}")
    told["tokens"] = [_token(one) for one in store.tokens.of(person.id)]
    return {**_record(person), **told}


def audit(args: argparse.Namespace) -> dict[str, Any]:
    """What was noted last."""
    events = Store().people.events(args.last)
    return {
        "events": [
            {
                "at": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.at)),
                "who": one.name or "owner",
                "person": one.person,
                "action": one.action,
                "thing": one.thing,
            }
            for one in events
        ]
    }


def _find(store: Store, wanted: str) -> Person:
    found = [
        one
        for one in store.people.all()
        if wanted in (one.id, one.name) or one.name.casefold() == wanted.casefold()
    ]
    if len(found) == 1:
        return found[0]
    ids = ", ".join(one.id for one in found)
    raise NotFoundError(
        f"Several people are called {wanted}: {ids}."
        if found
        else f"There is nobody called {wanted!r}.",
        "Give the id." if found else "`people` lists everybody.",
    )


def _record(person: Person) -> dict[str, Any]:
    until = None if person.expires_at is None else _day(person.expires_at)
    return {
        "person": person.id,
        "name": person.name,
        "role": str(person.role),
        "since": _day(person.created_at),
        "until": until,
    }


def _token(token: Token) -> dict[str, Any]:
    return {
        "token": token.id,
        "name": token.name,
        "may": "start and stop too" if token.may_change else "read",
        "last_used": _day(token.used_at) if token.used_at else "never",
        "until": _day(token.expires_at),
    }


def _note(store: Store, action: str, thing: str) -> None:
    typist = {**vars(OWNER), "name": options.who()}
    store.people.note(Person(**typist), action, thing)


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at))
