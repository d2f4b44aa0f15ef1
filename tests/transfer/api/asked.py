"""Programs that ask the routes, without a server between."""

import asyncio
from pathlib import Path
from typing import Any

import httpx

from transfer.api import routes
from transfer.api.asking import Backend
from transfer.errors import ImageError, TransferError
from transfer.prediction.client import Ranking
from transfer.store.runs import Store

HERE = "http://localhost:8501"


class Inference:
    """Answers of two classes, without Keras; what was asked is kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[bytes | Path], int | None]] = []
        self.fails: Exception | None = None

    def predict_each(
        self, run: str, pictures: list[bytes | Path], top: int | None = None
    ) -> list[Ranking | ImageError]:
        if self.fails:
            raise self.fails
        self.asked.append((run, pictures, top))
        ranking = [("rose", 0.75), ("tulip", 0.25)][:top]
        broken = ImageError("It is broken.", "Send another.")
        return [broken if one == b"broken" else ranking for one in pictures]

    def explain(self, run: str, picture: bytes, class_name: str) -> bytes:
        return b"heat of " + class_name.encode()


def app(store: Store, inference: Any = None) -> Any:
    """The app of the routes, mounted nowhere."""
    backend = Backend(store=lambda: store, inference=lambda: inference or Inference())
    return routes.make(backend)


def ask(
    app: Any, method: str, path: str, token: str = "", **more: Any
) -> httpx.Response:
    """The answer to a program."""
    headers = {**({"Authorization": f"Bearer {token}"} if token else {})}
    headers |= more.pop("headers", {})

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            return await client.request(method, path, headers=headers, **more)

    return asyncio.run(asked())


def error_of(answer: httpx.Response) -> str:
    """What an answer says went wrong; it says that in no other form."""
    told = answer.json()
    assert set(told) == {"error", "hint"}, told
    return f"{answer.status_code} {told['error']} {told['hint']}".strip()


def raising(error: TransferError | Exception) -> Inference:
    """A process that fails so."""
    inference = Inference()
    inference.fails = error
    return inference
