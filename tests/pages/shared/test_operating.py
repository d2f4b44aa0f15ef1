"""What is said of the server's state, and to whom."""

import asyncio
import json
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, Router

from pages.shared import operating
from transfer.runs.supervisor import Supervisor
from transfer.upkeep import health, metrics

PROXY = {"x-forwarded-for": "192.0.2.1"}
TOKEN = {**PROXY, "authorization": "Bearer word"}


def ready(supervisor: Any) -> Callable[[Request], Any]:
    async def say(request: Request) -> Response:
        return await operating.say_ready(request, cast(Supervisor, supervisor))

    return say


async def fail(_: Request) -> Response:
    raise ValueError


def ask(
    path: str,
    supervisor: Any = None,
    headers: dict[str, str] = {},  # noqa: B006
) -> tuple[int, str]:
    """Status and content of an answer of the server's routes."""
    well = SimpleNamespace(problem="", silent_seconds=1.0)
    server = Starlette(
        routes=[
            Route("/api/health", operating.say_alive),
            Route("/api/ready", ready(supervisor or well)),
            Route("/api/metrics", operating.send_metrics),
            Route("/api/live/{token}", lambda _: PlainTextResponse("news")),
            Route("/api/fails", fail),
            Mount("/api", Router([Route("/runs/{run}", lambda _: Response())])),
        ],
        middleware=[Middleware(operating.Timed)],
    )
    named = {"host": "localhost", **headers}
    raw = [(one.encode(), value.encode()) for one, value in named.items()]
    scope = {
        **{"type": "http", "method": "GET", "path": path, "query_string": b""},
        **{"headers": raw, "client": ("127.0.0.1", 50000)},
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(server(scope, receive, send))
    content = b"".join(one.get("body", b"") for one in sent)
    return sent[0]["status"], content.decode()


def count(route: str, status: int) -> float:
    labels = {"method": "GET", "route": route, "status": str(status)}
    name = "transfer_request_seconds_count"
    return metrics.registry.get_sample_value(name, labels) or 0.0


def test_say_alive__without_a_look_at_anything() -> None:
    assert ask("/api/health") == (200, '{"status":"ok"}')


def test_say_ready__where_all_is_well(workspace: None) -> None:
    status, content = ask("/api/ready")
    assert status == 200 and json.loads(content)["ready"] is True


@pytest.mark.parametrize(
    ("headers", "said"), [({}, "It is full."), (TOKEN, "It is full."), (PROXY, False)]
)
def test_say_ready__the_reason_is_for_this_machine_and_for_the_token(
    headers: dict[str, str],
    said: object,
    workspace: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRANSFER_METRICS_TOKEN", "word")
    full = SimpleNamespace(problem="It is full.", silent_seconds=1.0)
    status, content = ask("/api/ready", full, headers)
    assert status == 503
    assert json.loads(content) == {
        **{"store": True, "workspace": True, "supervisor": said, "ready": False}
    }


def test_say_ready__one_look_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask_twice() -> list[int]:
        first, going_on = asyncio.Event(), asyncio.Event()

        async def look(*_: object) -> dict[str, str]:
            first.set()
            await going_on.wait()
            return {}

        monkeypatch.setattr(operating.asyncio, "to_thread", look)
        request = Request({"type": "http", "headers": [], "client": None})
        waiting = asyncio.create_task(operating.say_ready(request, cast(Any, None)))
        await first.wait()
        second = await operating.say_ready(request, cast(Any, None))
        going_on.set()
        return [second.status_code, (await waiting).status_code]

    assert asyncio.run(ask_twice()) == [503, 200]


@pytest.mark.parametrize(
    ("headers", "named", "status"),
    [
        ({}, "", 200),
        (PROXY, "", 404),
        (TOKEN, "word", 200),
        (TOKEN, "", 404),
        (TOKEN, "other", 404),
        ({**PROXY, "authorization": "Bearer "}, "", 404),
    ],
)
def test_send_metrics__for_this_machine_and_for_the_token(
    headers: dict[str, str],
    named: str,
    status: int,
    workspace: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRANSFER_METRICS_TOKEN", named)
    assert ask("/api/metrics", headers=headers)[0] == status


def test_timed__counts_by_the_pattern_of_the_route(
    caplog: pytest.LogCaptureFixture,
) -> None:
    routes = (
        *(("/api/live/{token}", 200), ("/api/fails", 500), ("other", 404)),
        ("/api/runs/{run}", 200),
    )
    before = [count(*one) for one in routes]
    with caplog.at_level(logging.INFO):
        ask("/api/live/secret.123.abc")
        with pytest.raises(ValueError):
            ask("/api/fails")
        ask("/no/such/page")
        ask("/api/runs/secret")
        ask("/api/health")
    assert [count(*one) for one in routes] == [one + 1 for one in before]
    told = [(vars(one)["route"], vars(one)["status"]) for one in caplog.records]
    # What is asked every few seconds is not told.
    assert told == list(routes)
    assert "secret" not in caplog.text


def test_health__counts_a_supervisor_that_stands_still(workspace: None) -> None:
    still = SimpleNamespace(problem="", silent_seconds=health.STANDS_STILL + 1)
    found = health.look(cast(Supervisor, still))
    assert "not looked after the jobs for 61 seconds" in found["supervisor"]


def test_check_address__ends_the_server_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended: list[int] = []
    monkeypatch.setenv("TRANSFER_AUTH", "open")
    monkeypatch.setattr(operating.os, "_exit", ended.append)
    monkeypatch.setattr(operating.st, "get_option", lambda _: "192.0.2.1")
    operating.check_address()
    told = capsys.readouterr().err
    assert ended == [2] and told.startswith("error: The server would listen at 192")
