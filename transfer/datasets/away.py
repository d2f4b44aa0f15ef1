"""Pictures of strangers decoded in a process of their own, which has limits.

Whoever shows a picture that a stranger brought, such as the server, asks for it here:
it may take all the memory or time that a process has. `python -m
transfer.datasets.away` answers one JSON request a line with one JSON answer a line.
"""

import atexit
import base64
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from transfer import processes
from transfer.datasets import renderings
from transfer.datasets.decoding import Resizing
from transfer.datasets.renderings import Pixels, Rendering
from transfer.errors import ImageError, TransferError

#: Seconds that a picture may take. The largest that may be stored takes five on a slow
#: core, and the start of the process one.
LIMIT = 30.0
#: Bytes of its own that the process may have: what decoding takes at most, and Python.
_MEMORY = 2_000_000_000


class Decoder:
    """Asks the process, which starts with the first question and after it has died.

    Args:
        limit: Seconds that an answer may take.
    """

    def __init__(self, limit: float = LIMIT) -> None:
        self._limit, self._turn = limit, threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, **request: Any) -> bytes:
        """The bytes that answer a request.

        Raises:
            ImageError: The picture cannot be read, or takes too much time or memory.
        """
        with self._turn:
            answer = self._ask(json.dumps(request).encode() + b"\n")
        if "error" in answer:
            raise ImageError(*answer["error"])
        return base64.b64decode(answer["bytes"])

    def _ask(self, line: bytes) -> dict[str, Any]:
        process = self._start()
        is_late = threading.Event()

        def end() -> None:
            is_late.set()
            process.kill()

        clock = threading.Timer(self._limit, end)
        clock.daemon = True
        clock.start()
        try:
            process.stdin.write(line)  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            answer = process.stdout.readline()  # type: ignore[union-attr]
        except OSError:
            answer = b""
        finally:
            clock.cancel()
        if answer.endswith(b"\n"):  # half of one, if it died while it wrote
            return dict(json.loads(answer))
        self.close()
        why = "the process that decodes it ended"
        if is_late.is_set():
            why = f"it takes longer than {self._limit:g} seconds"
        return {"error": [f"The picture cannot be shown: {why}."]}

    def _start(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603  our own module
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=processes.environment(),
            )
        return self._process

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


#: Of this process.
_decoder = Decoder()
atexit.register(_decoder.close)


def encode_thumbnail(
    picture: Path | bytes, longest_side: int = 256, rendering: Rendering | None = None
) -> bytes:
    """As `renderings.encode_thumbnail`.

    Raises:
        ImageError: It cannot be read, or takes too much time or memory.
    """
    how = {"side": longest_side, "rendering": rendering}
    return _decoder.ask(**_to_send(picture), **how)


def decode(
    path: Path,
    size: tuple[int, int],
    rendering: Rendering | None = None,
    resizing: Resizing = "stretch",
) -> Pixels:
    """As `renderings.decode`, of a stored picture.

    Raises:
        ImageError: It cannot be read, or takes too much time or memory.
    """
    how = {"rendering": rendering, "size": size, "resizing": resizing}
    content = _decoder.ask(**_to_send(path), **how)
    return np.array(np.frombuffer(content, np.uint8).reshape(*size, 3))


def check(picture: bytes, rendering: Rendering | None = None) -> None:
    """Returns quietly where a file decodes as those of this rendering do.

    Raises:
        ImageError: It cannot be read, or takes too much time or memory.
    """
    _decoder.ask(**_to_send(picture), rendering=rendering, size=(32, 32))


def _to_send(picture: Path | bytes) -> dict[str, str]:
    if isinstance(picture, Path):
        return {"path": str(picture.absolute())}
    return {"picture": base64.b64encode(picture).decode()}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers requests until their stream ends."""
    for line in requests:
        try:
            content = _answer(**json.loads(line))
            answer: dict[str, Any] = {"bytes": base64.b64encode(content).decode()}
        except TransferError as error:
            answer = {"error": [error.message, error.hint]}
        except MemoryError:
            answer = {"error": ["The picture takes more memory than it may."]}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def _answer(
    path: str = "",
    picture: str = "",
    rendering: list[float] | None = None,
    size: tuple[int, int] | None = None,
    resizing: Resizing = "stretch",
    side: int = 256,
) -> bytes:
    how = renderings.from_plain(rendering)
    source = Path(path) if path else base64.b64decode(picture)
    if size is None:
        return renderings.encode_thumbnail(source, side, how)
    height, width = size
    return renderings.decode(source, (height, width), how, resizing).tobytes()


if __name__ == "__main__":
    processes.limit_memory(_MEMORY)
    serve(sys.stdin.buffer, sys.stdout.buffer)
