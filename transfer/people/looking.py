"""Who looks at a page and what they see: asked once for all parts of the page.

They ask for it up to fifty times, which was a fifth of what a page takes.
"""

import threading
import time
from typing import NamedTuple

from transfer.people import auth, rule, sessions
from transfer.store.people import Person
from transfer.store.runs import Store
from transfer.store.scope import Thing

#: Seconds for which the answer stands, in the thread that runs a page.
_STANDS = 0.25
_here = threading.local()


class Look(NamedTuple):
    """Who looks, and the store as they see it.

    Attributes:
        asked: With what it was asked.
        until: When it is asked anew, by a clock that only runs forward.
        datasets: Whose those are that were asked about since, by name.
        names: What people are called, by id, once it was asked.
    """

    asked: object
    until: float
    actor: Person
    store: Store
    datasets: dict[str, Thing]
    names: dict[str, str]


def look(store: Store, cookie: str) -> Look:
    """Whose session it is, and what they see of the store.

    Raises:
        NotAllowedError: It is nobody's.
    """
    asked, now = (store, auth.mode(), cookie), time.monotonic()
    known: Look | None = getattr(_here, "look", None)
    if known is None or known.asked != asked or now > known.until:
        person = sessions.who(store, cookie)
        view = store.view_for(rule.scope(person))
        known = _here.look = Look(asked, now + _STANDS, person, view, {}, {})
    return known
