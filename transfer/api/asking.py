"""Who asks, by the token that a request carries, and what of the store that opens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from transfer.api.refusals import RefusedError
from transfer.errors import NotAllowedError
from transfer.people import pace, rule, tokens
from transfer.prediction.client import InferenceProcess
from transfer.store.people import Person
from transfer.store.runs import Store


@dataclass(frozen=True, kw_only=True)
class Backend:
    """What the routes stand on; in the server pages use the same.

    Attributes:
        store: Of all.
        inference: The process that predicts.
    """

    store: Callable[[], Store]
    inference: Callable[[], InferenceProcess]


class Asking(NamedTuple):
    """Somebody who asks.

    Attributes:
        store: As that person sees it.
        inference: The process that predicts, for whomever.
    """

    person: Person
    store: Store
    inference: InferenceProcess


_token = HTTPBearer(
    auto_error=False,
    description="A token of the page API. Where nobody signs in none is needed.",
)
_Token = Annotated[HTTPAuthorizationCredentials | None, Security(_token)]


def _read(request: Request, token: _Token) -> Asking:
    return _ask(request, token, changes=False)


def _change(request: Request, token: _Token) -> Asking:
    return _ask(request, token, changes=True)


#: Who may look and use; and who may start and stop.
Reads = Annotated[Asking, Depends(_read)]
Changes = Annotated[Asking, Depends(_change)]


def _ask(request: Request, token: _Token, changes: bool) -> Asking:
    _refuse_other_pages(request)
    backend: Backend = request.app.state.backend
    store = backend.store()
    try:
        asker = tokens.find(store, token.credentials if token else "")
    except NotAllowedError as error:
        address = request.client.host if request.client else "unknown"
        pace.spend(store, "stranger", address)
        asks = {"WWW-Authenticate": "Bearer"}
        raise RefusedError(401, error, **asks) from error
    pace.spend(store, "request", asker.person.id)
    if changes and not asker.may_change:
        raise NotAllowedError(
            "This token reads only.", "Make one on the page API that starts and stops."
        )
    seen = store.view_for(rule.scope(asker.person))
    return Asking(asker.person, seen, backend.inference())


def _refuse_other_pages(request: Request) -> None:
    """Returns quietly unless a page of somebody else has a browser ask.

    Where nobody signs in, any page that is open in the owner's browser could start and
    stop else: a browser sends a simple POST anywhere, and only hides the answer.
    """
    site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin")
    host = request.headers.get("host", "")
    is_ours = origin is None or origin.partition("://")[2].lower() == host.lower()
    if site not in ("none", "same-origin") or not is_ours:
        raise NotAllowedError(
            "A page of another site asks.",
            "Ask from a program, or from a page of this server.",
        )
