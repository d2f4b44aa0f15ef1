"""What every request must pass to reach the pages, and what every answer carries.

A page of somebody else can have its own name lead to this machine ("DNS rebinding")
and then read what the server answers to that name; so only known names are answered.
"""

import asyncio
import ipaddress
import logging
import os
import re
import time
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any

import psutil
import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime

#: No frame on another site, no guessing of types, no address of ours sent elsewhere.
HEADERS = {
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
#: The names that are always known.
LOCAL = ("localhost", "127.0.0.1", "::1")
#: Seconds that a body may pause, and that it has beyond what its bytes take at the
#: slowest speed, in bytes per second.
PATIENCE, SLOWEST = 30.0, 4096
#: Bytes of a request that was answered before its end; more than our proxy lets pass.
PASSED_OVER = 64 << 20
#: Part of the machine's memory that photographs of `st.file_uploader` may take, which
#: Streamlit holds until a visit ends.
FOR_PHOTOGRAPHS = 0.25

_log = logging.getLogger(__name__)
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^][:/@?#,\s]+)(:\d*)?", re.IGNORECASE)
#: What a proxy adds that asks for somebody else.
_FORWARDED = {"forwarded", "via", "x-real-ip"}


class Guard:
    """An ASGI middleware: unknown names, stalled bodies and what memory has no room for
    are refused, metrics are for this machine, every answer carries `HEADERS` and comes
    once the request is whole.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            # Also of a websocket that was refused, whose message begins with
            # `websocket.`.
            if message["type"].endswith("http.response.start"):
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if body and not await body.is_read_out():
                    headers["Connection"] = "close"
            await send(message)

        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        body = _Body(scope, receive) if scope["type"] == "http" else None
        answer = _refusal(scope) or self.app
        await answer(scope, body.receive if body else receive, send_guarded)


class _Body:
    """The body of a request as it comes in.

    One that stands still or trickles is given up: half-sent requests would else be held
    for ever, each with its memory.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive, self._began, self._received = receive, time.monotonic(), 0
        self._stalls, headers = False, Headers(scope=scope)
        self._is_whole = not (
            headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        )

    async def receive(self) -> Message:
        """The next piece of it, or the end of the connection."""
        if self._is_whole:
            return await self._receive()
        left = self._began + PATIENCE + self._received / SLOWEST - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), min(PATIENCE, left))
        except TimeoutError:
            self._stalls = True
            raise HTTPException(408, "The request came too slowly.") from None
        self._received += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        return message

    async def is_read_out(self) -> bool:
        """Whether all of it has come; what an answer did not wait for is passed over.

        A browser, or a proxy, that is answered while it still sends sees a broken
        connection and no answer.
        """
        with suppress(HTTPException):
            while not self._is_whole and not self._stalls:
                if self._received > PASSED_OVER:
                    break
                await self.receive()
        return self._is_whole


async def fail(_: Request, __: Exception) -> PlainTextResponse:
    """The answer to a request that failed; it is made outside of all middleware."""
    return PlainTextResponse("Internal Server Error", 500, headers=HEADERS)


def name_of(host: str) -> str:
    """The name in a `Host`, in lower case, without port, brackets and last dot.

    Empty where it is no host at all.
    """
    found = _HOST.fullmatch(host.strip())
    return found[1].strip("[]").lower().rstrip(".") if found else ""


def is_known(host: str) -> bool:
    """Whether the server answers to this `Host`: here, or what `TRANSFER_HOSTS` names.

    So is the address that the server was told to listen at, if that is a single one.
    """
    named = os.environ.get("TRANSFER_HOSTS", "").replace(",", " ").split()
    address = str(st.get_option("server.address") or "")
    if address not in ("0.0.0.0", "::"):  # noqa: S104  is compared, not listened at
        named.append(address)
    name = name_of(host)
    patterns = [*LOCAL, *map(name_of, named)]
    return bool(name) and any(fnmatchcase(name, one) for one in patterns)


def is_from_here(scope: Scope) -> bool:
    """Whether a program of this machine asks, and not a proxy for somebody else."""
    headers = Headers(scope=scope)
    # A proxy on this machine connects from here too, for whoever asked it.
    if any(name in _FORWARDED or name.startswith("x-forwarded-") for name in headers):
        return False
    try:
        address = ipaddress.ip_address((scope.get("client") or [""])[0])
    except ValueError:
        return False
    # A server that listens to IPv6 sees 127.0.0.1 as ::ffff:127.0.0.1.
    inner = getattr(address, "ipv4_mapped", None) or address
    return inner.is_loopback and name_of(headers.get("host", "")) in LOCAL


def held_photographs() -> int:
    """Bytes of the photographs of all visits that are held in memory."""
    if not runtime.exists():
        return 0
    visits: Any = runtime.get_instance().uploaded_file_mgr
    return sum(
        len(file.data)
        # Copies of the lists: other threads change them meanwhile.
        for visit in list(visits.file_storage.values())
        for file in list(visit.values())
    )


def _refusal(scope: Scope) -> PlainTextResponse | None:
    headers = Headers(scope=scope)
    host = ",".join(headers.getlist("host"))  # several are no host
    if not is_known(host):
        return PlainTextResponse(_advice(host), 403)
    if scope["type"] == "websocket":
        # Streamlit would ask the internet what this machine is called before it
        # refused, and meanwhile answer nobody.
        origin = headers.get("origin", host).rpartition("://")[2]
        if not is_known(origin):
            _log.warning("A page may not connect. %s", _advice(origin))
            return PlainTextResponse(_advice(origin), 403)
    elif "/_stcore/upload_file/" in scope["path"] and scope["method"] == "PUT":
        if held_photographs() > FOR_PHOTOGRAPHS * psutil.virtual_memory().total:
            return PlainTextResponse("The photographs held fill the memory.", 507)
    elif scope["path"].rstrip("/").endswith("/_stcore/metrics"):
        return None if is_from_here(scope) else PlainTextResponse("Not Found", 404)
    return None


def _advice(host: str) -> str:
    found = _HOST.fullmatch(host.strip())
    if not found:
        return "The request names no host that could be read."
    return (
        f"Transfer Studio does not answer to the name {found[1]}.\n\n"
        "It answers to localhost, and to the names in TRANSFER_HOSTS. If you run this "
        "server, start it with this in its environment, several names with commas "
        f"between them:\n\n    TRANSFER_HOSTS={found[1]}\n"
    )
