"""The server: pages, uploads, pictures, and the supervisor that runs trainings.

`streamlit run app.py` starts it. Uploads and pictures go through routes of their own:
Streamlit's uploader keeps every byte in memory and loses files beyond a thousand. So
does what is new of a run: a rerun of its page each second would slow the training.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route

from pages.data import feed
from pages.runs import live
from pages.shared import (
    addresses,
    files,
    guard,
    operating,
    room,
    session,
    shell,
    visits,
    warming,
)
from pages.shared.visits import Visit
from transfer import workspace
from transfer.api import routes as api
from transfer.api.asking import Backend
from transfer.datasets import archive, library
from transfer.datasets.ingest import frames, uploads
from transfer.errors import (
    LimitError,
    NotAllowedError,
    StorageError,
    TooOftenError,
    TransferError,
    UploadError,
    UploadTooLargeError,
)
from transfer.export import orders
from transfer.people import auth, links
from transfer.runs.supervisor import Supervisor
from transfer.upkeep import logs, tidying

#: Bytes of a batch that are held in memory before they are written.
WRITE_AT = 2 << 20
#: Batches of one upload (a browser sends three) and of all that are on their way.
OF_ONE_UPLOAD, OF_ALL_UPLOADS = 8, 64
_on_their_way: Counter[str] = Counter()
#: Every browser takes it.
_GZIP = {"Content-Encoding": "gzip"}
#: What is raised where a link is not for whoever asks.
REFUSED = UploadError, NotAllowedError, TooOftenError


async def receive_batch(request: Request) -> Response:
    """Stores one batch of an upload; answers with the files that it completed."""
    try:
        visit = await visits.begin(request, "upload")
        upload = visit.value
        await asyncio.to_thread(room.check_upload, visit, request)
    except REFUSED as error:
        return _answer(error, 403)
    except LimitError as error:
        return _answer(error, 507)
    # Before anything is read: what waits here holds no memory.
    if _is_busy(upload):
        return _answer(UploadError("Too much is sent at once.", "Try again."), 429)
    _on_their_way[upload] += 1
    try:
        return JSONResponse({"stored": await _store_stream(upload, request)})
    except UploadTooLargeError as error:
        return _answer(error, 413)
    except UploadError as error:
        return _answer(error, 400)
    except StorageError as error:
        return _answer(error, 507)
    except ClientDisconnect:
        return Response(status_code=400)
    finally:
        _on_their_way[upload] -= 1
        if not _on_their_way[upload]:
            del _on_their_way[upload]


async def discard_upload(request: Request) -> Response:
    """Forgets the files of an upload that was cancelled or begins anew."""
    try:
        upload = (await visits.begin(request, "upload")).value
    except REFUSED as error:
        return _answer(error, 403)
    await asyncio.to_thread(uploads.discard, upload)
    return JSONResponse({"stored": []})


async def send_thumbnail(request: Request) -> Response:
    """A small JPEG of one image of a dataset."""
    return await _send_file(request, "image", files.thumbnail, "image/jpeg")


async def send_sound(request: Request) -> Response:
    """One recording of a dataset, as browsers play it."""
    return await _send_file(request, "sound", files.sound, "audio/wav")


async def _send_file(
    request: Request, purpose: str, read: Callable[[Visit], bytes], kind: str
) -> Response:
    try:
        visit = await visits.begin(request, purpose)
        # In a thread, as all that touches a disk: the loop serves every page meanwhile.
        content = await asyncio.to_thread(read, visit)
    except REFUSED as error:
        return _answer(error, 403)
    except (TransferError, OSError):
        return Response(status_code=404)
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return Response(content, media_type=kind, headers=headers)


async def send_images(request: Request) -> Response:
    """Some images of a gallery, as JSON."""
    try:
        first, count = (int(request.query_params[one]) for one in ("first", "count"))
        visit = await visits.begin(request, "gallery")
        content = await asyncio.to_thread(feed.page, visit, first, count)
    except REFUSED as error:
        return _answer(error, 403)
    except (TransferError, KeyError, ValueError):
        return Response(status_code=404)
    headers = {"Cache-Control": "private, no-cache"}
    return Response(content, media_type="application/json", headers=headers)


async def send_export(request: Request) -> Response:
    """The zip of an export."""

    def find(visit: Visit) -> Path:
        visit.check_run(visit.value.partition("-")[0])
        return orders.archive(visit.value)

    return await _send_zip(request, "export", find)


async def send_dataset(request: Request) -> Response:
    """The zip of a dataset."""

    def find(visit: Visit) -> Path:
        key, _, name = visit.value.rpartition("-")
        visit.check_dataset(links.unpack(name))
        library.folder_of(links.unpack(name))  # it may be in the trash
        return archive.find(key, links.unpack(name))

    return await _send_zip(request, "dataset", find)


async def _send_zip(
    request: Request, purpose: str, find: Callable[[Visit], Path]
) -> Response:
    try:
        visit = await visits.begin(request, purpose)
        path = await asyncio.to_thread(find, visit)
    except REFUSED as error:
        return _answer(error, 403)
    except TransferError:
        return Response(status_code=404)
    # The same address may name a newer export tomorrow.
    headers = {"Cache-Control": "private, no-cache"}
    kind = "application/zip"
    return FileResponse(path, headers=headers, media_type=kind, filename=path.name)


async def send_news(request: Request) -> Response:
    """What is new of a run, for a browser that watches it."""
    try:
        visit = await visits.begin(request, "live")
        run_id = visit.value
        if visit.store:
            await asyncio.to_thread(visit.check_run, run_id)
        # Twenty who watch ask twenty times a second: the answer that still stands needs
        # no thread.
        made = live.kept_answer(run_id)
        answer = made if made else await asyncio.to_thread(live.make_answer, run_id)
    except REFUSED as error:
        return _answer(error, 403)
    except TransferError:
        return Response(status_code=404)
    headers = {"ETag": answer.tag, "Cache-Control": "no-cache", **_GZIP}
    # Nothing new, as mostly between two steps: the browser keeps what it has.
    if request.headers.get("if-none-match") == answer.tag:
        return Response(status_code=304, headers=headers)
    return Response(answer.content, media_type="application/json", headers=headers)


async def send_plotly(_: Request) -> Response:
    """Plotly's library, out of its Python package."""
    content = await asyncio.to_thread(live.plotly_js)
    headers = {"Cache-Control": "public, max-age=31536000, immutable", **_GZIP}
    return Response(content, media_type="text/javascript", headers=headers)


async def say_ready(request: Request) -> Response:
    """Whether the server can do its work."""
    return await operating.say_ready(request, app.state["supervisor"])


async def _store_stream(upload: str, request: Request) -> list[str]:
    parser, stored = frames.FrameParser(), []
    pieces: list[frames.Piece] = []
    held = 0
    async for chunk in request.stream():
        for piece in parser.feed(chunk):
            pieces.append(piece)
            held += len(piece.content) + frames.MAX_HEADER
        # In pieces of some size: a write for each small picture would take longer than
        # its bytes.
        if held > WRITE_AT:
            stored += await asyncio.to_thread(uploads.store, upload, pieces)
            pieces, held = [], 0
    parser.finish()
    return stored + await asyncio.to_thread(uploads.store, upload, pieces)


def _is_busy(upload: str) -> bool:
    """Whether so much of this upload, or of all, is on its way that it must wait."""
    of_all = _on_their_way.total()
    return _on_their_way[upload] >= OF_ONE_UPLOAD or of_all >= OF_ALL_UPLOADS


def _answer(error: TransferError, status: int) -> Response:
    """The error as JSON."""
    told = {"error": error.message, "hint": error.hint}
    if isinstance(error, TooOftenError):
        return JSONResponse(told, 429, {"Retry-After": str(error.wait)})
    return JSONResponse(told, status)


async def tidy() -> None:
    """Removes what is old, now and every hour."""
    while True:
        await asyncio.to_thread(tidying.tidy, session.whole_store)
        await asyncio.sleep(3600)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, Supervisor]]:
    """Starts queued runs while the server stands; their workers outlive it."""
    logs.set_up()
    operating.check_address()
    # Before anything is written: it holds people's photographs.
    workspace.close_to_others()
    with suppress(StorageError):  # `/api/ready` says so
        auth.tell_settings()
    hourly = asyncio.create_task(tidy())
    warming_up = asyncio.create_task(asyncio.to_thread(warming.warm))
    supervisor = Supervisor()
    supervisor.start()
    try:
        yield {"supervisor": supervisor}
    finally:
        # The workers go on; only what this process does by itself ends.
        hourly.cancel()
        warming_up.cancel()
        await asyncio.to_thread(supervisor.stop)


for_programs = api.make(Backend(store=session.whole_store, inference=session.inference))
app = st.App(
    "pages/shared/router.py",
    routes=[
        Route(addresses.route("upload"), receive_batch, methods=["PUT"]),
        Route(addresses.route("upload"), discard_upload, methods=["DELETE"]),
        Route(addresses.route("image"), send_thumbnail),
        Route(addresses.route("sound"), send_sound),
        Route(addresses.route("gallery"), send_images),
        Route(addresses.route("export"), send_export),
        Route(addresses.route("dataset"), send_dataset),
        Route(addresses.route("live"), send_news),
        Route(addresses.route("plotly"), send_plotly),
        Route(addresses.plain_route("health"), operating.say_alive),
        Route(addresses.plain_route("ready"), say_ready),
        Route(addresses.plain_route("metrics"), operating.send_metrics),
        Route(addresses.route("enter"), visits.enter, methods=["POST"]),
        # The last: it answers all that is left below /api.
        Mount(addresses.plain_route("").rstrip("/"), for_programs),
    ],
    lifespan=lifespan,
    middleware=[Middleware(operating.Timed), Middleware(guard.Guard)],
    exception_handlers={Exception: guard.fail},
    on_script_error=shell.show_unexpected,
)
