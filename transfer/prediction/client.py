"""The long-lived inference process, from the side that asks, which needs no Keras."""

import base64
import contextlib
import json
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transfer import errors, workspace
from transfer.backbones.structure import (
    Structure,
    kept_structure,
    structure_path,
)
from transfer.errors import ImageError, RunError, TransferError
from transfer.processes import LIMIT, environment

#: Seconds between two signs of life of the process while it answers.
BEAT = 1.0

#: All classes with their probabilities, best first.
Ranking = list[tuple[str, float]]


class InferenceProcess:
    """Asks a process of its own for predictions and backbone structures.

    The process starts with the first request, or with `start`, and starts again after
    it has died. Requests of several threads are answered one after the other.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._warmed: set[str] = set()

    def start(self) -> None:
        """Starts the process without waiting until it has imported Keras."""
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

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def predict(self, run: str, pictures: list[bytes | Path]) -> list[Ranking]:
        """The ranked classes of each picture, by the model of a run.

        Args:
            run: Id or name of a run that has finished.
            pictures: Encoded pictures, or paths of them.

        Raises:
            NotFoundError: There is no such run.
            RunError: It has no model, or the process died.
            ImageError: A picture cannot be read.
        """
        answer = self._ask("predict", run=run, pictures=[_sent(p) for p in pictures])
        return [[(name, value) for name, value in ranking] for ranking in answer]

    def predict_each(
        self, run: str, pictures: list[bytes | Path], top: int | None = None
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
        sent = [_sent(picture) for picture in pictures]
        return [
            ImageError(one["error"]["message"], one["error"]["hint"])
            if "error" in one
            else [(name, value) for name, value in one["ranking"]]
            for one in self._ask("predict_each", run=run, pictures=sent, top=top)
        ]

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
        sent = _sent(picture)
        answer = self._ask("explain", run=run, picture=sent, class_name=class_name)
        return base64.b64decode(answer)

    def nearest(
        self, run: str, picture: bytes | Path, count: int = 5
    ) -> list[dict[str, Any]]:
        """The training images that the model finds most like a picture.

        For the first picture of a run it may have to look at all training images once.

        Args:
            run: Id or name of a run that has finished.
            picture: Encoded picture, or the path of one.
            count: Number of images.

        Returns:
            `sha256`, `class_name`, `path` and `similarity`, in [-1, 1], of each, the
            nearest first.

        Raises:
            NotFoundError: There is no such run, or its dataset was deleted.
            RunError: It has no model, or the process died.
            ImageError: The picture cannot be read.
        """
        sent = _sent(picture)
        return list(self._ask("nearest", run=run, picture=sent, count=count))

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

    def structure(self, backbone: str, image_size: int | None = None) -> Structure:
        """The blocks and cuts of a backbone; kept on disk after the first time.

        Args:
            backbone: Name in the catalogue.
            image_size: Height and width in pixels; `None` is the backbone's own.

        Raises:
            BackboneError: There is no such backbone, or the size is too small for it.
        """
        if kept := kept_structure(backbone, image_size):
            return kept
        answer = self._ask("structure", backbone=backbone, image_size=image_size)
        path = structure_path(backbone, image_size)
        workspace.write_atomically(path, json.dumps(answer).encode())
        return Structure.from_json(answer)

    def measure(self, backbone: str, image_size: int | None = None) -> dict[str, float]:
        """Images per second of each engine with a backbone on this machine.

        It is kept for `estimates`. Takes some seconds; half a minute for the largest.

        Args:
            backbone: Name in the catalogue.
            image_size: Height and width in pixels; `None` is the backbone's own.

        Raises:
            BackboneError: There is no such backbone, or the size is too small for it.
        """
        return dict(self._ask("measure", backbone=backbone, image_size=image_size))

    def fetch(self, backbone: str) -> None:
        """Downloads a backbone's pretrained weights if they are not there.

        Raises:
            WeightsError: They cannot be downloaded, or what is there is damaged.
        """
        self._ask("fetch", backbone=backbone)

    def add(self, file: Path) -> str:
        """Takes a weights file; the name of the backbone that it belongs to.

        Raises:
            WeightsError: It is damaged or of no backbone of the catalogue.
        """
        return str(self._ask("add", path=str(file)))

    def _ask(self, request: str, **arguments: Any) -> Any:
        line = json.dumps({"request": request, "arguments": arguments}).encode()
        with self._lock:
            self.start()
            answer = json.loads(self._exchange(line + b"\n"))
        if "error" in answer:
            raise _raised(answer["error"])
        return answer["result"]

    def _exchange(self, line: bytes) -> bytes:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RunError("The inference process is not running.")
        try:
            with _watched(process) as heard:
                process.stdin.write(line)
                process.stdin.flush()
                while answer := process.stdout.readline():
                    if answer.strip():
                        return answer
                    heard.set()
        except OSError:
            pass
        raise RunError(
            "The inference process ended before it had answered.",
            f"Try again; {workspace.home() / 'inference.log'} has the details.",
        )


@contextlib.contextmanager
def _watched(process: "subprocess.Popen[bytes]") -> Iterator[threading.Event]:
    """Ends a process that falls silent in the block; the event says it was heard."""
    heard, over = threading.Event(), threading.Event()

    def watch() -> None:
        # Counted beat by beat, so that a machine that sleeps counts for none, and from
        # the first sign on: the import of Keras shows none.
        silent = -math.inf
        while not over.wait(BEAT):
            silent = 0.0 if heard.is_set() else silent + BEAT
            heard.clear()
            if silent >= LIMIT:
                process.kill()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        over.set()
        thread.join()


def _sent(picture: bytes | Path) -> dict[str, str]:
    if isinstance(picture, bytes):
        return {"bytes": base64.b64encode(picture).decode()}
    return {"path": str(picture.absolute())}


def _raised(record: dict[str, str]) -> TransferError:
    kind = getattr(errors, record["kind"], RunError)
    error: TransferError = kind(record["message"], record["hint"])
    return error
