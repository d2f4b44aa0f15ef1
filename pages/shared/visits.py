"""Who asks one of the server's own routes, and what the link in its address opens."""

import asyncio
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from pages.shared import addresses, session
from transfer.errors import NotAllowedError, UploadError
from transfer.people import auth, links, pace, rule, sessions
from transfer.people.auth import Mode
from transfer.people.links import Link
from transfer.store.runs import Store


class Visit(NamedTuple):
    """A request that may come in.

    Attributes:
        value: What was signed.
        who: Id of whoever asks; empty where nobody signs in.
        store: The store as that person sees it; `None` where nobody signs in.
    """

    value: str
    who: str = ""
    store: Store | None = None

    def check_run(self, run_id: str) -> None:
        """Returns quietly where whoever asks may see the run now.

        Raises:
            NotFoundError: They may not, there is none, or it is in the trash.
        """
        (self.store or session.whole_store()).get_job(run_id)

    def check_dataset(self, name: str) -> None:
        """Returns quietly where whoever asks may see the dataset now.

        Raises:
            NotFoundError: They may not, or there is none.
        """
        if self.store:
            self.store.datasets.check("read", name)

    def check(self, thing: str) -> None:
        """The same of `run:ID` or `dataset:NAME`; a thing of no name is nobody's."""
        kind, _, key = thing.partition(":")
        if self.store:
            (self.check_run if kind == "run" else self.check_dataset)(key)


async def enter(request: Request) -> Response:
    """Changes the ticket of somebody who has signed in for the cookie of a session."""
    # No other site can have a browser send this header here.
    if not request.headers.get("x-transfer-studio"):
        return Response(status_code=403)
    try:
        cookie = sessions.cookie_for(request.path_params["token"])
    except UploadError:
        return Response(status_code=403)
    answer = Response(status_code=204)
    answer.set_cookie(
        sessions.COOKIE,
        cookie,
        max_age=int(auth.longest_session()),
        path=addresses.base() or "/",
        secure=request.headers.get("x-forwarded-proto", request.url.scheme) == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


async def begin(request: Request, purpose: str) -> Visit:
    """The visit of a request whose address has a token for this purpose.

    Raises:
        UploadError: The token is none of ours or too old.
        NotAllowedError: It is somebody else's, or whoever asks has not signed in.
        TooOftenError: That person asks too often.
    """
    link = links.read(purpose, request.path_params["token"])
    if auth.mode() is Mode.OPEN:
        return Visit(link.value)
    cookie = request.cookies.get(sessions.COOKIE, "")
    return await asyncio.to_thread(_let_in, purpose, link, cookie)


def _let_in(purpose: str, link: Link, cookie: str) -> Visit:
    store = session.whole_store()
    person = sessions.who(store, cookie)
    if person.id != link.who:
        raise NotAllowedError("This link was made for somebody else.")
    pace.spend(store, "upload" if purpose == "upload" else "link", person.id)
    return Visit(link.value, person.id, store.view_for(rule.scope(person)))
