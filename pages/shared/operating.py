"""What those who run the server ask it: does it live, can it work, how much is it used.

`/api/health` and `/api/ready` answer anybody in few words; reasons, and `/api/metrics`,
are for programs of this machine and for whoever has `TRANSFER_METRICS_TOKEN`.
"""

import asyncio
import hmac
import logging
import os
import sys
import time

import streamlit as st
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.shared import guard
from transfer.errors import ConfigError, TransferError
from transfer.people import auth
from transfer.runs.supervisor import Supervisor
from transfer.upkeep import health, metrics

_log = logging.getLogger(__name__)
_UNKEPT = {"Cache-Control": "no-store"}
#: What is asked every few seconds, and would fill the log.
_ASKED_OFTEN = ("/api/health", "/api/ready", "/api/metrics", "/_stcore/health")
_looking = asyncio.Lock()


class Timed:
    """An ASGI middleware: times each request, and tells the log of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        began, status = time.perf_counter(), 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        finally:
            _note(scope, status, time.perf_counter() - began)


def check_address() -> None:
    """Ends the server where it would let everybody do everything unsaid."""
    try:
        auth.check_address(str(st.get_option("server.address") or ""))
    except ConfigError as error:
        # By itself: the server, which has done nothing yet, would tell it in a trace.
        print(f"error: {error}", file=sys.stderr, flush=True)
        os._exit(error.exit_status)


async def say_alive(_: Request) -> Response:
    """That the server answers."""
    return JSONResponse({"status": "ok"}, headers=_UNKEPT)


async def say_ready(request: Request, supervisor: Supervisor) -> Response:
    """Whether it can do its work: 200, or 503 and which part cannot."""
    # One look at a time: each may wait for a store that is locked.
    if _looking.locked():
        return JSONResponse({"ready": False}, 503, headers=_UNKEPT)
    async with _looking:
        found = await asyncio.to_thread(health.look, supervisor)
    is_ready = not any(found.values())
    told: dict[str, object] = {part: not why for part, why in found.items()}
    if _may_know(request):
        told = {part: why or True for part, why in found.items()}
    told |= {"ready": is_ready}
    return JSONResponse(told, 200 if is_ready else 503, headers=_UNKEPT)


async def send_metrics(request: Request) -> Response:
    """What Prometheus reads."""
    if not _may_know(request):
        return PlainTextResponse("Not Found", 404)
    try:
        content = await asyncio.to_thread(metrics.text)
    except TransferError as error:
        return PlainTextResponse(str(error), 503)
    return Response(content, media_type=CONTENT_TYPE_LATEST, headers=_UNKEPT)


def _may_know(request: Request) -> bool:
    token = os.environ.get("TRANSFER_METRICS_TOKEN", "")
    said = request.headers.get("authorization", "").encode()
    if token and hmac.compare_digest(said, f"Bearer {token}".encode()):
        return True
    return guard.is_from_here(request.scope)


def _note(scope: Scope, status: int, seconds: float) -> None:
    # Its pattern, never the address: that has ids and signed tokens in it.
    path = getattr(scope.get("route"), "path", "")
    # Those for programs know nothing of where they are mounted.
    route = f"{scope.get('root_path', '')}{path}" if path else "other"
    method = scope["method"] if scope["method"] in _METHODS else "other"
    metrics.request_seconds.labels(method, route, status).observe(seconds)
    if not route.endswith(_ASKED_OFTEN):
        said = {"method": method, "route": route, "status": status}
        _log.info("Request", extra={**said, "seconds": round(seconds, 4)})


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
