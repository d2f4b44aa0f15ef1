"""Who asks: a signed cookie names the person and the session, and the store has both.

The only place in which it is found out, for pages and routes alike.
"""

import hashlib
import secrets
import time
from contextlib import suppress

from transfer import workspace
from transfer.errors import NotAllowedError, NotFoundError, UploadError
from transfer.people import links
from transfer.people.auth import Mode, longest_session, mode
from transfer.store.people import OWNER, Person
from transfer.store.runs import Store

COOKIE = "transfer-studio-session"
#: Seconds in which a page hands a new session to its browser.
_TICKET = 60


def begin(store: Store, person: Person, mark: int = 0) -> str:
    """A ticket for a new session, which a browser changes for its cookie, once.

    Args:
        mark: Tells sessions apart, and when they began: seconds since 1970; 0 takes
            the present.
    """
    store.people.note(person, "sign in")
    # Later than what was signed out, also where the clock was set back since.
    mark = mark or max(int(time.time()), person.ended + 1)
    # Two browsers of one person may come in within the same second.
    nonce = secrets.token_hex(8)
    return links.sign("enter", f"{person.id}-{mark}-{nonce}", _TICKET)


def cookie_for(ticket: str) -> str:
    """The cookie of the session that the ticket is for.

    Raises:
        UploadError: The ticket is not one of ours, is too old, or was used.
    """
    session, _, _ = links.verify("enter", ticket).rpartition("-")
    _use_up(ticket)
    return links.sign(_purpose(), session, int(longest_session()))


def find(store: Store, cookie: str) -> Person | None:
    """Whose session it is; `None` where it has ended, or is none."""
    if mode() is Mode.OPEN:
        return OWNER
    try:
        person_id, mark = _read(cookie)
        person = store.people.get(person_id)
    except (UploadError, NotFoundError):
        return None
    lasts = mark > person.ended and time.time() - mark <= longest_session()
    return person if lasts and person.is_let_in else None


def who(store: Store, cookie: str) -> Person:
    """Whose session it is.

    Raises:
        NotAllowedError: Nobody's.
    """
    if person := find(store, cookie):
        return person
    raise NotAllowedError("You are not signed in.", "Reload the page to sign in.")


def id_of(cookie: str) -> str:
    """Whose session a cookie names, for addresses that are checked once more.

    Also of a session that has ended.

    Raises:
        NotAllowedError: It is no cookie of ours, or too old.
    """
    try:
        return _read(cookie)[0]
    except UploadError as error:
        raise NotAllowedError("You are not signed in.", "Reload the page.") from error


def end(store: Store, cookie: str) -> None:
    """Signs out: this session and all that the person began before it."""
    if person := find(store, cookie):
        store.people.end_sessions(person.id, _read(cookie)[1])
        store.people.note(person, "sign out")


def _use_up(ticket: str) -> None:
    """Notes it where every server of this workspace looks.

    Raises:
        UploadError: It was used.
        StorageError: The workspace cannot be written.
    """
    folder = workspace.folder("tickets")
    used = folder / hashlib.sha256(ticket.encode()).hexdigest()
    with workspace.writing(used):
        try:
            used.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            raise UploadError(
                "This ticket was used already.", "Sign in again."
            ) from None
        for old in folder.iterdir():
            with suppress(FileNotFoundError):  # another server forgets it too
                if old.stat().st_mtime < used.stat().st_mtime - 3 * _TICKET:
                    old.unlink()


def _read(cookie: str) -> tuple[str, int]:
    person_id, _, mark = links.verify(_purpose(), cookie).partition("-")
    return person_id, int(mark)


def _purpose() -> str:
    # What was a session in a workshop is none where a provider signs people in.
    return f"session-{mode()}"
