"""The long-lived inference process, from the side that asks, which needs no Keras."""

import base64
import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from transfer import errors, workspace
from transfer.datasets.sounds.segments import Segment
from transfer.errors import ImageError, RunError, TransferError
from transfer.prediction import exchange
from transfer.prediction.recordings import Heard
from transfer.prediction.turns import Turns
from transfer.processes import environment

#: Who is asked first, the lowest number: somebody looks at an empty card meanwhile.
_URGENCY = {"predict": 0, "thumbnail": 0, "explain": 1, "nearest": 1}
_URGENCY |= {"knows_training_images": 1, "warm": 2, "hear": 1, "predict_each": 3}
#: Pictures of a piece: few enough for an answer in a second, so that others need not
#: wait for long, and enough to be worth an engine, or all those of a cluster.
_FIRST_PIECE, _LEAST, _MOST = 128, 64, 4096
#: Bytes of a piece that are sent; either side has them several times meanwhile.
_MOST_BYTES = 32 << 20

#: All classes with their probabilities, best first.
Ranking = list[tuple[str, float]]


class InferenceProcess:
    """Asks a process of its own for predictions.

    The process starts with the first request, or with `start`, and starts again after
    it has died. Requests of several threads are answered one after the other, a single
    picture before a folder of them. One that takes too long ends the process.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._turns = Turns()
        self._starting = threading.Lock()
        self._warmed: set[str] = set()

    def start(self) -> "subprocess.Popen[bytes]":
        """The process; a new one is not waited for until it has imported Keras."""
        with self._starting:
            if self._process is None or self._process.poll() is not None:
                self._warmed.clear()
                with (workspace.folder() / "inference.log").open("ab") as log:
                    self._process = subprocess.Popen(  # noqa: S603  our own module
                        [sys.executable, "-m", "transfer.prediction.server"],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=log,
                        env=environment(),
                    )
            return self._process

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def predict(self, run: str, pictures: list[bytes | Path]) -> list[Ranking]:
        """The ranked classes of each picture, by the model of a run.

        Args:
            run: Id or name of a run that has finished; empty for the source model,
                which knows ImageNet's classes.
            pictures: Encoded pictures, or paths of them.

        Raises:
            NotFoundError: There is no such run.
            RunError: It has no model, or the process died.
            ImageError: A picture cannot be read.
        """
        answer = self._ask("predict", run=run, pictures=[_to_send(p) for p in pictures])
        return [[(name, value) for name, value in ranking] for ranking in answer]

    def predict_each(
        self, run: str, pictures: Sequence[bytes | Path], top: int | None = None
    ) -> list[Ranking | ImageError]:
        """As `predict`, but a picture that cannot be read stops no other.

        Args:
            run: Id or name of a run that has finished.
            pictures: Encoded pictures, or paths of them.
            top: Number of classes of each ranking; all if not given.

        Returns:
            A ranking for each picture, or why there is none.

        Raises:
            NotFoundError: There is no such run.
            RunError: It has no model, or the process died.
        """
        sent = [_to_send(picture) for picture in pictures]
        # Each name once in memory, however many pictures are kept with it.
        return [
            ImageError(one["error"]["message"], one["error"]["hint"])
            if "error" in one
            else [(sys.intern(name), value) for name, value in one["ranking"]]
            for one in self._ask("predict_each", run=run, pictures=sent, top=top)
        ]

    def predict_in_pieces(
        self, run: str, pictures: Sequence[bytes | Path], top: int | None = None
    ) -> Iterator[list[Ranking | ImageError]]:
        """As `predict_each`, of any number of pictures, about a second's at a time."""
        start, size = 0, _FIRST_PIECE
        while start < len(pictures):
            began = time.monotonic()
            piece = _that_fit(pictures[start : start + size])
            yield self.predict_each(run, piece, top)
            start, size = start + len(piece), len(piece)
            seconds = max(time.monotonic() - began, 0.01)
            size = min(max(int(size / seconds), size // 2, _LEAST), 2 * size, _MOST)

    def hear(self, run: str, sound: bytes | Path) -> Heard:
        """What a run says of a recording, see `recordings.hear`.

        Args:
            run: Id or name of a run that learnt from sounds.
            sound: A recording, or the path of one.

        Raises:
            NotFoundError: There is no such run.
            RunError: It has no model, or the process died.
            ImageError: The recording cannot be read, or is too long.
        """
        answer = self._ask("hear", run=run, sound=_to_send(sound))
        return Heard(
            ranking=[(name, value) for name, value in answer["ranking"]],
            class_names=tuple(answer["class_names"]),
            segments=tuple(Segment(*one) for one in answer["segments"]),
        )

    def explain(self, run: str, picture: bytes | Path, class_name: str) -> bytes:
        """A PNG of the picture, bright where the model sees evidence for a class.

        Args:
            run: Id or name of a run that has finished.
            picture: Encoded picture, or the path of one.
            class_name: Any of the run's classes.

        Raises:
            NotFoundError: There is no such run or class.
            RunError: It has no model, or the process died.
            ImageError: The picture cannot be read.
        """
        sent = _to_send(picture)
        answer = self._ask("explain", run=run, picture=sent, class_name=class_name)
        return base64.b64decode(answer)

    def nearest(
        self, run: str, picture: bytes | Path, count: int = 5
    ) -> list[dict[str, Any]]:
        """The training images that the model finds most like a picture.

        Args:
            run: Id or name of a run that has finished.
            picture: Encoded picture, or the path of one.
            count: Number of images.

        Returns:
            `sha256`, `class_name`, `path` and `similarity`, in [-1, 1], of each, the
            nearest first.

        Raises:
            NotFoundError: There is no such run, or its dataset was deleted.
            RunError: It has no model, it must look at its training images first (see
                `knows_training_images`), or the process died.
            ImageError: The picture cannot be read.
        """
        sent = _to_send(picture)
        return list(self._ask("nearest", run=run, picture=sent, count=count))

    def knows_training_images(self, run: str) -> bool:
        """Whether `nearest` can be asked: else it takes the job `requests.neighbours`.

        Raises:
            NotFoundError: There is no such run, or its dataset was deleted.
            RunError: It has no model, or the process died.
        """
        return bool(self._ask("knows_training_images", run=run))

    def warm(self, run: str) -> None:
        """Has a run's model loaded while nobody waits for it; returns at once.

        What goes wrong is not said here: the first question will meet it again.
        """
        self.start()
        if run not in self._warmed:
            self._warmed.add(run)
            threading.Thread(target=self._warm, args=[run], daemon=True).start()

    def _warm(self, run: str) -> None:
        with contextlib.suppress(TransferError):
            self._ask("warm", run=run)

    def _ask(self, request: str, **arguments: Any) -> Any:
        line = json.dumps({"request": request, "arguments": arguments}).encode()
        with self._turns.take(_URGENCY[request]):
            process = self.start()
            answer = json.loads(exchange.ask(process, line + b"\n"))
        if "error" in answer:
            raise _to_error(answer["error"])
        return answer["result"]


def _that_fit(pictures: Sequence[bytes | Path]) -> Sequence[bytes | Path]:
    """The first of them, as many as are not too much to send; one at the least."""
    sizes = (len(one) if isinstance(one, bytes) else 0 for one in pictures)
    fit = sum(total <= _MOST_BYTES for total in accumulate(sizes))
    return pictures[: max(fit, 1)]


def _to_send(picture: bytes | Path) -> dict[str, str]:
    if isinstance(picture, bytes):
        return {"bytes": base64.b64encode(picture).decode()}
    return {"path": str(picture.absolute())}


def _to_error(record: dict[str, str]) -> TransferError:
    kind = getattr(errors, record["kind"], RunError)
    error: TransferError = kind(record["message"], record["hint"])
    return error
