"""The long-lived inference process, from the side that asks, which needs no Keras."""

import base64
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from transfer import errors, workspace
from transfer.backbones.structure import Structure
from transfer.errors import RunError, TransferError
from transfer.runs import launch

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

    def start(self) -> None:
        """Starts the process without waiting until it has imported Keras."""
        if self._process is None or self._process.poll() is not None:
            with (workspace.folder() / "inference.log").open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603  our own module
                    [sys.executable, "-m", "transfer.prediction"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=launch.environment(),
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
        sent = [
            {"bytes": base64.b64encode(p).decode()}
            if isinstance(p, bytes)
            else {"path": str(p.absolute())}
            for p in pictures
        ]
        answer = self._ask("predict", run=run, pictures=sent)
        return [[(name, value) for name, value in ranking] for ranking in answer]

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
        path = _structure_path(backbone, image_size)
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
            process.stdin.write(line)
            process.stdin.flush()
            if answer := process.stdout.readline():
                return answer
        except OSError:
            pass
        raise RunError(
            "The inference process ended before it had answered.",
            f"Try again; {workspace.home() / 'inference.log'} has the details.",
        )


def kept_structure(backbone: str, image_size: int | None = None) -> Structure | None:
    """The blocks and cuts of a backbone if they are on disk; asks no process."""
    try:
        kept = _structure_path(backbone, image_size).read_bytes()
        return Structure.from_json(json.loads(kept))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _structure_path(backbone: str, image_size: int | None) -> Path:
    name = f"{backbone}-{image_size or 'native'}.json"
    return workspace.home() / "structures" / name


def _raised(record: dict[str, str]) -> TransferError:
    kind = getattr(errors, record["kind"], RunError)
    error: TransferError = kind(record["message"], record["hint"])
    return error
