"""Which requests reach the pages, and what every answer carries."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from pages.shared import guard


def ask(
    path: str = "/",
    *,
    kind: str = "http",
    client: str = "127.0.0.1",
    method: str = "GET",
    **headers: str | None,
) -> list[dict[str, Any]]:
    """What the server sends, of which every answer is `the page`."""
    named = {"host": "localhost:8501", **headers}
    raw = [
        (name.replace("_", "-").encode(), value.encode())
        for name, value in named.items()
        if value is not None
    ]
    scope = {"type": kind, "path": path, "headers": raw, "client": (client, 50000)}
    scope["method"] = method
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        raise AssertionError("A guard reads no body.")

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    page = guard.Guard(PlainTextResponse("the page"))
    asyncio.run(page(scope, receive, send))  # type: ignore[arg-type]
    return sent


def status(*args: Any, **headers: Any) -> int:
    return int(ask(*args, **headers)[0]["status"])


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost.:8501",
        "127.0.0.1:9",
        "[::1]",
        "[::1]:8501",
        "localhost:",
    ],
)
def test_guard__answers_to_the_names_of_this_machine(host: str) -> None:
    assert status(host=host) == status(kind="websocket", host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8501",
        "localhost.evil.example",
        "evil.example@localhost",
        "localhost/evil",
        "localhost:8501:8501",
        "localhost,evil.example",
        "0.0.0.0",  # noqa: S104
        "::1",
        "[]",
        ".",
        "",
        None,
    ],
)
def test_guard__refuses_every_other_name(host: str | None) -> None:
    assert status(host=host) == status(kind="websocket", host=host) == 403


def test_guard__answers_to_what_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = "Studio.example.com, *.lab.example [2001:db8::1]:443"
    monkeypatch.setenv("TRANSFER_HOSTS", named)
    known = ["studio.example.com:8501", "a.lab.example", "[2001:DB8::1]", "localhost"]
    assert [status(host=host) for host in known] == [200] * 4
    assert status(host="example.com") == status(host="lab.example") == 403


def test_guard__answers_to_the_address_that_it_listens_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(st, "get_option", lambda _: "192.168.1.5")
    assert status(host="192.168.1.5:8501") == 200
    monkeypatch.setattr(st, "get_option", lambda _: "0.0.0.0")  # noqa: S104
    assert status(host="0.0.0.0:8501") == 403  # noqa: S104


def test_guard__says_what_to_set_for_a_name_that_is_not_known() -> None:
    start, body = ask(host="192.168.1.5:8501")
    assert b"TRANSFER_HOSTS=192.168.1.5\n" in body["body"]
    assert (b"content-type", b"text/plain; charset=utf-8") in start["headers"]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost.x"]
)
def test_guard__lets_no_other_site_connect(origin: str) -> None:
    (start, _) = ask(kind="websocket", origin=origin)
    assert start["type"] == "websocket.http.response.start"
    assert start["status"] == 403
    assert status(kind="websocket", origin="http://localhost:8501") == 200


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_guard__every_answer_carries_the_headers(kind: str, host: str) -> None:
    carried = Headers(raw=ask(kind=kind, host=host)[0]["headers"])
    assert {name: carried.get(name) for name in guard.HEADERS} == guard.HEADERS


def test_fail__carries_the_headers_too() -> None:
    answer = asyncio.run(guard.fail(Request({"type": "http"}), ValueError()))
    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in guard.HEADERS} == guard.HEADERS


def read(chunks: list[bytes], *, then_stalls: bool = False) -> int:
    """Status of the answer to a request whose body comes in these chunks.

    Args:
        then_stalls: The last chunk is not the last of the body.
    """
    left = [*chunks]

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.Event().wait()
        body = left.pop(0)
        return {
            "type": "http.request",
            "body": body,
            "more_body": bool(left) or then_stalls,
        }

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        assert await request.body() == b"".join(chunks)
        await PlainTextResponse("the page")(scope, receive, send)

    async def status() -> int:
        scope = {"type": "http", "method": "PUT", "path": "/"}
        scope["headers"] = [(b"host", b"localhost"), (b"content-length", b"9")]
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        try:
            await guard.Guard(page)(scope, receive, send)  # type: ignore[arg-type]
        except HTTPException as error:
            return error.status_code
        return int(sent[0]["status"])

    return asyncio.run(status())


def test_guard__gives_up_a_body_that_stands_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard, "PATIENCE", 0.02)
    assert read([b"a", b"b"], then_stalls=True) == 408
    assert read([b"a", b"b"]) == 200


def test_guard__gives_up_a_body_that_trickles(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 10))  # ten seconds pass with each chunk
    monkeypatch.setattr(guard, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    assert read([b"a"] * 10) == 408
    assert read([bytes(10 * guard.SLOWEST)] * 10) == 200


@pytest.mark.parametrize(
    ("chunks", "left", "connection"),
    [
        ([b"a"] * 5, 0, None),  # all has come before the answer does
        ([bytes(8)] * 5, 2, "close"),  # beyond what is passed over
        ([b"a", None], 0, None),  # whoever sent it is gone
        ([b"a", TimeoutError], 0, "close"),  # or stands still
    ],
)
def test_guard__answers_once_a_request_is_whole(
    chunks: list[Any],
    left: int,
    connection: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard, "PASSED_OVER", 20)
    coming, sent = [*chunks], list[Any]()

    async def receive() -> dict[str, Any]:
        body = coming.pop(0)
        if body is None:
            return {"type": "http.disconnect"}
        if body is TimeoutError:
            raise body
        return {"type": "http.request", "body": body, "more_body": bool(coming)}

    async def send(message: Any) -> None:
        assert len(coming) == left
        sent.append(message)

    scope = {"type": "http", "method": "PUT", "path": "/"}
    scope["headers"] = [(b"host", b"localhost"), (b"content-length", b"9")]
    refuses = guard.Guard(PlainTextResponse("refused", 403))
    asyncio.run(refuses(scope, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 403
    assert Headers(raw=sent[0]["headers"]).get("connection") == connection


def test_guard__takes_no_photograph_beyond_its_part_of_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    visits = MemoryUploadedFileManager("/_stcore/upload_file")
    server = SimpleNamespace(uploaded_file_mgr=visits)
    monkeypatch.setattr(guard.runtime, "exists", lambda: True)
    monkeypatch.setattr(guard.runtime, "get_instance", lambda: server)
    memory = SimpleNamespace(total=80)
    monkeypatch.setattr(guard.psutil, "virtual_memory", lambda: memory)
    path = "/lab/_stcore/upload_file/visit/file"
    for number in range(3):
        assert status(path, method="PUT") == 200
        file = UploadedFileRec(str(number), "a.jpg", "image/jpeg", bytes(10))
        visits.add_file(f"visit {number}", file)
    assert status(path, method="PUT") == 507
    assert status(path, method="DELETE") == 200
    visits.remove_session_files("visit 0")
    assert status(path, method="PUT") == 200


METRICS = "/lab/_stcore/metrics"


@pytest.mark.parametrize(
    "client", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"]
)
def test_guard__metrics_are_for_this_machine(client: str) -> None:
    assert status(METRICS, client=client) == 200


@pytest.mark.parametrize(
    "asked",
    [
        {"client": "192.168.1.5"},
        {"client": "testclient"},
        {"x_forwarded_for": "127.0.0.1"},
        {"x_forwarded_proto": "https"},
        {"forwarded": "for=127.0.0.1"},
        {"via": "1.1 proxy"},
        {"x_real_ip": "127.0.0.1"},
        {"host": "studio.example.com"},
    ],
)
def test_guard__metrics_are_for_nobody_else(
    asked: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_HOSTS", "studio.example.com")
    assert status(METRICS, **asked) == status(f"{METRICS}/", **asked) == 404
    assert status("/_stcore/health", **asked) == 200
