"""A visitor who does as a browser does and draws nothing: 30 fit beside a server.

It speaks Streamlit's own protocol: a websocket for the pages, requests for what they
show besides. It sends the states of its widgets with each click, obeys the fragments
that run by themselves, and fetches the pictures and news that a page names.
"""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

#: Addresses of pictures, of a gallery's feed and of what is new of a run.
PICTURES = re.compile(rb"/api/image/[\w.~-]+")
FEED = re.compile(rb"/api/gallery/[\w.~-]+")
NEWS = re.compile(rb"/api/live/[\w.~-]+")
#: Seconds that a click may take at all, and between two looks at what is new of a run.
PATIENCE, EVERY = 60.0, 1.0
#: Pictures that fit on a screen.
ON_SCREEN = 24
#: What a page says where something went wrong on the server.
WRONG = b"Something went wrong"


class Visitor:
    """A visitor; one click at a time.

    Args:
        port: Of the server.
        cookies: Of the session; none where nobody signs in.

    Attributes:
        errors: What went wrong, in words.
        requests: Pictures, feeds and news that were fetched.
    """

    def __init__(self, port: int, cookies: dict[str, str]) -> None:
        self._address, self._cookies = f"127.0.0.1:{port}", cookies
        # The server closes what is idle for 5 s, also just as somebody asks: browsers
        # ask again then, and httpx, which keeps it as long by itself, does not.
        self._client = httpx.AsyncClient(
            base_url=f"http://{self._address}",
            cookies=cookies,
            timeout=PATIENCE,
            limits=httpx.Limits(keepalive_expiry=2.0),
        )
        self._pages: dict[str, str] = {}
        self._page, self._query, self._session = "", "", ""
        self._elements: list[Any] = []
        self._fragments: dict[str, str] = {}
        self._widgets: dict[str, WidgetState] = {}
        self._every: dict[str, float] = {}
        self._next: dict[str, float] = {}
        self._finished, self._urls = asyncio.Event(), asyncio.Queue[Any]()
        self._text: list[bytes] = []
        self._kept: set[str] = set()
        self._runs = 0
        self.errors: list[str] = []
        self.requests = 0

    async def stay(self, visit: Any) -> None:
        """Makes the visit while the connection stands."""
        async with self._client:
            # It hands out the token without which nothing is taken in.
            await self._client.get("/_stcore/health")
            sent = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
            connection = websockets.connect(
                f"ws://{self._address}/_stcore/stream",
                subprotocols=["streamlit"],
                additional_headers={"Cookie": sent},
                max_size=None,
            )
            async with connection as self._socket, asyncio.TaskGroup() as tasks:
                ears = [
                    tasks.create_task(one) for one in (self._listen(), self._tick())
                ]
                try:
                    await visit
                finally:
                    for one in ears:
                        one.cancel()

    async def open(self, page: str, query: str = "") -> float:
        """Seconds until a page is whole: its script has run and its pictures are here.

        Args:
            page: Its path in the address.
            query: What the address says besides.
        """
        self._widgets.clear()
        self._page, self._query = self._pages.get(page, ""), query
        start = time.perf_counter()
        await self._run(page_name="" if self._page else page)
        await self._fetch_pictures()
        return time.perf_counter() - start

    async def click(self, kind: str, label: str, **value: Any) -> float:
        """Seconds until the page has answered a click.

        Args:
            kind: Of the element, as Streamlit calls it: `button`, `selectbox`.
            label: Beginning of its label; of those with the same the first.
            value: Of the state that the widget has then; a button needs none.
        """
        found = self._find(kind, label)
        state = WidgetState(id=found.id, **value or {"trigger_value": True})
        self._widgets[found.id] = state
        start = time.perf_counter()
        await self._run(fragment_id=self._fragments.get(found.id, ""))
        if state.trigger_value:
            del self._widgets[found.id]
        await self._fetch_pictures()
        return time.perf_counter() - start

    async def upload(self, label: str, name: str, content: bytes) -> float:
        """Seconds until the page has answered that a picture was chosen.

        Args:
            label: Of the uploader.
            name: Of the picture.
            content: Its bytes.
        """
        found = self._find("file_uploader", label)
        start = time.perf_counter()
        ask = BackMsg()
        ask.file_urls_request.request_id = "1"
        ask.file_urls_request.file_names.append(name)
        ask.file_urls_request.session_id = self._session
        await self._socket.send(ask.SerializeToString())
        urls = await asyncio.wait_for(self._urls.get(), PATIENCE)
        token = {"X-Xsrftoken": self._client.cookies.get("_streamlit_xsrf") or ""}
        file = {"file": (name, content)}
        answer = await self._client.put(urls.upload_url, files=file, headers=token)
        self._note(answer)
        state = WidgetState(id=found.id)
        info = state.file_uploader_state_value.uploaded_file_info.add()
        info.name, info.size, info.file_id = name, len(content), urls.file_id
        info.file_urls.CopyFrom(urls)
        self._widgets[found.id] = state
        await self._run(fragment_id=self._fragments.get(found.id, ""))
        await self._fetch_pictures()
        return time.perf_counter() - start

    async def watch(self, seconds: float) -> None:
        """Looks at the page for so long; where a run goes on, asks for what is new."""
        until, tag = time.monotonic() + seconds, ""
        news = next(iter(self._matches(NEWS)), "")
        while news and time.monotonic() < until:
            answer = await self._get(news, {"If-None-Match": tag} if tag else {})
            tag = answer.headers.get("etag", "")
            await asyncio.sleep(EVERY)
        await asyncio.sleep(max(until - time.monotonic(), 0.0))

    def says(self, text: str) -> bool:
        """Whether the page says this."""
        return any(text.encode() in one for one in self._text)

    def labels(self) -> list[str]:
        """Kind and label of each widget of the page."""
        return [
            f"{one.WhichOneof('type')}: {getattr(_inner(one), 'label', '')}"
            for one in self._elements
        ]

    def _find(self, kind: str, label: str) -> Any:
        for one in self._elements:
            inner = _inner(one)
            if one.WhichOneof("type") == kind and inner.label.startswith(label):
                return inner
        raise LookupError(f"No {kind} {label!r} among {self.labels()}")

    async def _run(self, **about: Any) -> None:
        """Has the page's script run, and waits for its end."""
        runs = self._runs
        self._finished.clear()
        if not about.get("fragment_id"):
            self._elements.clear()
            self._text.clear()
        await self._socket.send(self._message(**about))
        async with asyncio.timeout(PATIENCE):
            while self._runs == runs:
                await self._finished.wait()
                self._finished.clear()

    def _message(self, **about: Any) -> bytes:
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string, rerun.page_script_hash = self._query, self._page
        rerun.widget_states.widgets.extend(self._widgets.values())
        for name, value in about.items():
            setattr(rerun, name, value)
        return bytes(message.SerializeToString())

    async def _listen(self) -> None:
        async for received in self._socket:
            self._hear(received)

    async def _tick(self) -> None:
        """Asks for each fragment as often as the page told it to."""
        while True:
            now = time.monotonic()
            for one in [one for one, at in self._next.items() if at <= now]:
                self._next[one] = now + self._every[one]
                with suppress(websockets.ConnectionClosed):
                    ask = self._message(fragment_id=one, is_auto_rerun=True)
                    await self._socket.send(ask)
            await asyncio.sleep(0.1)

    def _hear(self, received: bytes) -> None:
        message = ForwardMsg.FromString(received)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._session = message.new_session.initialize.session_id or self._session
            if not message.metadata.run.fragment_ids:
                self._every.clear()
                self._next.clear()
        elif kind == "navigation":
            pages = message.navigation.app_pages
            self._pages = {one.url_pathname: one.page_script_hash for one in pages}
            self._page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            told = message.auto_rerun
            self._every[told.fragment_id] = told.interval
            self._next.setdefault(told.fragment_id, time.monotonic() + told.interval)
        elif kind == "file_urls_response":
            self._urls.put_nowait(message.file_urls_response.file_urls[0])
        elif kind == "delta":
            self._take(message.delta)
        elif kind == "script_finished" and message.script_finished != _EARLY:
            self._runs += 1
            self._finished.set()

    def _take(self, delta: Any) -> None:
        # As it came: to write it out would take longer than all else here.
        text = delta.SerializeToString()
        self._text.append(text)
        if WRONG in text:
            self.errors.append(str(delta)[:300])
        if delta.HasField("new_element"):
            element = delta.new_element
            self._elements.append(element)
            if element.WhichOneof("type") == "exception":
                self.errors.append(element.exception.message[:300])
            if delta.fragment_id:
                id_ = getattr(_inner(element), "id", "")
                self._fragments[id_] = delta.fragment_id

    async def _fetch_pictures(self) -> None:
        """What of the page's pictures is on the screen, each once."""
        feeds = [f"{one}?first=0&count={ON_SCREEN}" for one in self._matches(FEED)]
        answers = await asyncio.gather(*map(self._get, feeds))
        named = [*self._matches(PICTURES)]
        for one in answers:
            named += _found(PICTURES, one.content)
        shown = [*dict.fromkeys(named)][:ON_SCREEN]
        wanted = [one for one in shown if one not in self._kept]
        # A browser has six connections.
        for at in range(0, len(wanted), 6):
            await asyncio.gather(*map(self._get, wanted[at : at + 6]))

    def _matches(self, pattern: re.Pattern[bytes]) -> Iterator[str]:
        found = (one for text in self._text for one in _found(pattern, text))
        yield from dict.fromkeys(found)

    async def _get(
        self, address: str, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        answer = await self._client.get(address, headers=headers)
        self._note(answer)
        # What a browser asks for no second time, on whatever page it is shown again.
        if "immutable" in answer.headers.get("cache-control", ""):
            self._kept.add(address)
        return answer

    def _note(self, answer: httpx.Response) -> None:
        self.requests += 1
        if answer.status_code >= 400:
            self.errors.append(f"{answer.status_code} of {answer.url}")


_EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN


def _found(pattern: re.Pattern[bytes], text: bytes) -> list[str]:
    return [one.decode() for one in pattern.findall(text)]


def _inner(element: Any) -> Any:
    return getattr(element, element.WhichOneof("type") or "empty", element)
