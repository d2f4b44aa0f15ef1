"""The server's own routes, asked as a browser asks: what is stored, what is refused."""

import asyncio
import gzip
import io
import json
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

import app
from pages.shared import addresses, visits
from tests.pictures import make_pictures
from tests.transfer.datasets.ingest.test_uploads import frame
from transfer.config import TrainConfig
from transfer.datasets.ingest import frames, importer, uploads
from transfer.people import links, sessions
from transfer.store.runs import Store

Handler = Callable[[Request], Awaitable[Response]]


def ask(
    handler: Handler,
    token: str,
    body: bytes = b"",
    chunk: int = 64,
    headers: Mapping[str, str] | None = None,
    query: bytes = b"",
) -> Response:
    """The handler's answer to a request whose body comes in chunks."""
    chunks = [body[start : start + chunk] for start in range(0, len(body), chunk)]
    messages = [{"type": "http.request", "body": c, "more_body": True} for c in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    raw = [(n.lower().encode(), v.encode()) for n, v in (headers or {}).items()]
    scope = {"type": "http", "headers": raw, "path_params": {"token": token}}
    scope |= {"scheme": "http", "server": ("localhost", 8501), "path": "/"}
    scope["query_string"] = query
    return asyncio.run(handler(Request(scope, receive)))  # type: ignore[arg-type]


def said(response: Response) -> dict[str, Any]:
    return dict(json.loads(bytes(response.body)))


def test_receive_batch__stores_files_and_names_them(workspace: Path) -> None:
    upload = uploads.start()
    batch = frame("rose/a.jpg", b"x" * 500) + frame("tulip/ü.jpg", b"y")
    answer = ask(app.receive_batch, links.sign("upload", upload), batch)
    assert answer.status_code == 200
    assert said(answer) == {"stored": ["rose/a.jpg", "tulip/ü.jpg"]}
    assert uploads.count(upload) == uploads.Count(files=2, bytes=501)


def test_receive_batch__writes_while_a_long_batch_still_comes(workspace: Path) -> None:
    upload, half = uploads.start(), bytes(app.WRITE_AT * 2 // 3)
    batch = b"".join(frame(f"{name}.jpg", half) for name in "abc")
    answer = ask(app.receive_batch, links.sign("upload", upload), batch, 1 << 20)
    assert said(answer) == {"stored": ["a.jpg", "b.jpg", "c.jpg"]}


def test_receive_batch__refuses_a_token_of_another_purpose(workspace: Path) -> None:
    upload = uploads.start()
    answer = ask(app.receive_batch, links.sign("image", upload), frame("a.jpg", b"x"))
    assert answer.status_code == 403
    assert "expired" in said(answer)["error"]
    assert uploads.count(upload).files == 0


def test_receive_batch__refuses_a_batch_that_was_cut_off(workspace: Path) -> None:
    token = links.sign("upload", uploads.start())
    answer = ask(app.receive_batch, token, frame("a.jpg", b"content")[:-1])
    assert (answer.status_code, said(answer)["hint"]) == (400, "Send it again.")


def test_receive_batch__refuses_a_path_that_leads_out(workspace: Path) -> None:
    token = links.sign("upload", uploads.start())
    answer = ask(app.receive_batch, token, frame("../../evil.jpg", b"x"))
    assert answer.status_code == 400
    assert not list(workspace.rglob("evil.jpg"))


def test_receive_batch__refuses_what_is_too_large(workspace: Path) -> None:
    token = links.sign("upload", uploads.start())
    batch = frame("a.jpg", b"x", total=frames.MAX_PICTURE + 1)
    answer = ask(app.receive_batch, token, batch)
    assert answer.status_code == 413
    assert "are taken" in said(answer)["error"]


def test_receive_batch__says_that_the_disk_is_full(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = links.sign("upload", uploads.start())
    full = shutil._ntuple_diskusage(1, 1, 0)  # type: ignore[attr-defined]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    answer = ask(app.receive_batch, token, frame("a.jpg", b"x"))
    assert answer.status_code == 507
    assert "disk is full" in said(answer)["error"]
    assert "upload again" in said(answer)["hint"]


class Held:
    """A batch of which only the first byte ever comes."""

    def __init__(self, token: str) -> None:
        self.token, self.has_begun = token, asyncio.Event()

    async def __call__(self) -> dict[str, Any]:
        if self.has_begun.is_set():
            await asyncio.Event().wait()
        self.has_begun.set()
        return {"type": "http.request", "body": b"\0", "more_body": True}

    async def answer(self) -> Response:
        scope = {"type": "http", "headers": [], "path_params": {"token": self.token}}
        return await app.receive_batch(Request(scope, self))


def test_receive_batch__takes_some_at_once_of_an_upload_and_of_all(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "OF_ONE_UPLOAD", 2)
    monkeypatch.setattr(app, "OF_ALL_UPLOADS", 3)
    one, other = (links.sign("upload", uploads.start()) for _ in range(2))

    async def statuses() -> list[int]:
        held = [Held(one), Held(one)]
        tasks = [asyncio.create_task(batch.answer()) for batch in held]
        await asyncio.gather(*(batch.has_begun.wait() for batch in held))
        found = [await Held(one).answer()]
        third = Held(other)
        tasks.append(asyncio.create_task(third.answer()))
        await third.has_begun.wait()
        found.append(await Held(other).answer())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return [answer.status_code for answer in found]

    assert asyncio.run(statuses()) == [429, 429]
    assert ask(app.receive_batch, one, frame("a.jpg", b"x")).status_code == 200


def test_discard_upload__forgets_the_files(workspace: Path) -> None:
    upload = uploads.start()
    token = links.sign("upload", upload)
    ask(app.receive_batch, token, frame("a.jpg", b"x"))
    assert ask(app.discard_upload, token).status_code == 200
    assert uploads.count(upload).files == 0


def test_discard_upload__needs_a_token_for_it(workspace: Path) -> None:
    upload = uploads.start()
    answer = ask(app.discard_upload, links.sign("image", upload))
    assert answer.status_code == 403
    assert (workspace / "uploads" / upload).exists()


def test_send_thumbnail__is_a_small_jpeg(workspace: Path, tmp_path: Path) -> None:
    folder = make_pictures(tmp_path / "pets", {"cat": 2, "dog": 2})
    image = importer.import_path(folder, "pets").images[0]
    answer = ask(app.send_thumbnail, links.sign("image", image.sha256))
    assert (answer.status_code, answer.media_type) == (200, "image/jpeg")
    assert bytes(answer.body).startswith(b"\xff\xd8")


def test_send_thumbnail__shows_deep_grey_in_the_range_of_its_dataset(
    workspace: Path, tmp_path: Path
) -> None:
    ramp = np.linspace(1200, 1400, 1600).reshape(40, 40).astype(np.uint16)
    for number, name in enumerate(("cat", "dog")):
        (tmp_path / "deep" / name).mkdir(parents=True)
        Image.fromarray(ramp + number).save(tmp_path / "deep" / name / "1.png")
    revision = importer.import_path(tmp_path / "deep", "deep")
    shown = []
    for one in (revision, replace(revision, grey=None)):
        address = addresses.thumbnail(revision.images[0].sha256, one)
        answer = ask(app.send_thumbnail, address.rpartition("/")[2])
        with Image.open(io.BytesIO(bytes(answer.body))) as picture:
            shown.append(np.ptp(np.asarray(picture)))
    assert shown[0] > 200 > 20 > shown[1]


def test_send_thumbnail__knows_no_image_of_that_hash(workspace: Path) -> None:
    answer = ask(app.send_thumbnail, links.sign("image", "0" * 64))
    assert answer.status_code == 404


def test_send_thumbnail__refuses_an_unsigned_address(workspace: Path) -> None:
    answer = ask(app.send_thumbnail, f"{'0' * 64}.9999999999.{'0' * 64}")
    assert answer.status_code == 403


def test_send_export__is_the_zip_of_a_signed_address(workspace: Path) -> None:
    st.cache_resource.clear()  # a test of a page may have left its store
    run = Store().create(TrainConfig(dataset="pets"))
    folder = workspace / "runs" / run.id / "exports" / "onnx-none"
    folder.mkdir(parents=True)
    (folder / "Gänse-resnet50-onnx-01234567.zip").write_bytes(b"zip")
    signed = links.sign("export", f"{run.id}-onnx-none")
    answer = ask(app.send_export, signed)
    assert (answer.status_code, answer.media_type) == (200, "application/zip")
    name = "filename*=utf-8''G%C3%A4nse-resnet50-onnx-01234567.zip"
    assert name in answer.headers["content-disposition"]
    missing = links.sign("export", f"{run.id}-keras-none")
    assert ask(app.send_export, missing).status_code == 404
    assert ask(app.send_export, links.sign("image", "0")).status_code == 403


def test_send_news__is_made_once_and_not_sent_again(workspace: Path) -> None:
    st.cache_resource.clear()  # a test of a page may have left its store
    run = Store().create(TrainConfig(dataset="pets"))
    first = ask(app.send_news, links.sign("live", run.id))
    assert json.loads(gzip.decompress(bytes(first.body)))["status"] == "queued"
    known = {"If-None-Match": first.headers["etag"]}
    again = ask(app.send_news, links.sign("live", run.id), headers=known)
    assert (again.status_code, bytes(again.body)) == (304, b"")


def test_send_news__of_no_run_and_for_no_token(workspace: Path) -> None:
    assert ask(app.send_news, links.sign("live", "0123abcd")).status_code == 404
    assert ask(app.send_news, links.sign("image", "0123abcd")).status_code == 403


def test_enter__changes_a_ticket_for_a_cookie_that_no_script_reads(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    store = Store()
    anna = store.people.add(subject="name:anna", name="Anna", role="participant")
    assert anna
    ticket, ours = sessions.begin(store, anna), {"X-Transfer-Studio": "enter"}
    assert ask(visits.enter, ticket).status_code == 403  # a form on another site
    answer = ask(visits.enter, ticket, headers={**ours, "X-Forwarded-Proto": "https"})
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= {*cookie.split("; ")}
    assert sessions.find(store, cookie.partition("=")[2].partition(";")[0]) == anna
    assert ask(visits.enter, ticket, headers=ours).status_code == 403
    store.close()


def test_send_plotly__is_the_library() -> None:
    answer = ask(app.send_plotly, "any")
    assert b"plotly.js v" in gzip.decompress(bytes(answer.body))[:200]


@pytest.mark.parametrize(
    "name", ["starlette", "python-multipart", "uvicorn", "h11", "websockets"]
)
def test_requirements__pin_what_takes_requests_apart(name: str) -> None:
    wanted = Path(app.__file__).with_name("requirements.txt").read_text("utf-8")
    assert f"\n{name}=={version(name)}\n" in wanted
    assert "\nhttptools" not in wanted
