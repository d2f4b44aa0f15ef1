"""The long-lived inference process, from the side that answers.

`python -m transfer.prediction.server` answers one JSON request a line on standard input
with one JSON answer a line on standard output; its other end is
`transfer.prediction.client`. Whatever takes longer than a second or so is a job.
"""

import base64
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, cast

from transfer import processes
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.errors import ImageError, NotFoundError, RunError, TransferError
from transfer.prediction import explain, models, neighbours, recordings
from transfer.prediction.exchange import BEAT, LOADING
from transfer.prediction.models import Classifier
from transfer.store.record import error_record

#: What the signs of life say of the request that is answered now.
_doing = [b""]


#: Seconds of a recording that are gone through at once: the answer has to come within
#: `exchange.ANSWER_LIMIT`.
MOST_SECONDS = 600.0


def _open(picture: dict[str, str]) -> Path | bytes:
    if "path" in picture:
        return Path(picture["path"])
    return base64.b64decode(picture["bytes"])


def _load(run: str) -> Classifier:
    """The classifier of a run; without one the source model, of ImageNet's classes.

    The first time may take seconds, which count for themselves.
    """
    _doing[0] = LOADING
    try:
        return models.load(run) if run else models.source()
    finally:
        _doing[0] = b""


def _predict(run: str, pictures: list[dict[str, str]]) -> Any:
    one = _load(run)
    found = one.probabilities([_open(picture) for picture in pictures])
    return [models.rank(one, row) for row in found]


def _predict_each(run: str, pictures: list[dict[str, str]], top: int | None) -> Any:
    one = _load(run)
    found = one.answer_each([_open(picture) for picture in pictures])
    return [
        {"error": error_record(said)}
        if isinstance(said, ImageError)
        else {"ranking": models.rank(one, said, top)}
        for said in found
    ]


def _hear(run: str, sound: dict[str, str]) -> Any:
    one = _load(run)
    how = one.runner.rendering
    if not isinstance(how, Spectrogram):
        raise RunError(f"Run {run} has not learnt from sounds.")

    def ask(sounds: Sequence[bytes | Path]) -> list[recordings.Ranking | ImageError]:
        found = one.answers([*sounds])
        return [
            found.unreadable.get(at) or models.rank(one, row)
            for at, row in enumerate(found.probabilities)
        ]

    return asdict(recordings.hear(ask, _open(sound), how, MOST_SECONDS))


def _explain(run: str, picture: dict[str, str], class_name: str) -> Any:
    one, content = _load(run), _open(picture)
    if class_name not in one.class_names:
        raise NotFoundError(f'The run has no class "{class_name}".')
    runner, label = one.runner, one.class_names.index(class_name)
    heat = explain.heat_map(runner, runner.decode(content), label)
    shown = explain.overlay(content, heat, runner.rendering, runner.resizing)
    return base64.b64encode(shown).decode()


def _nearest(run: str, picture: dict[str, str], count: int) -> Any:
    one = _load(run)
    known = neighbours.at_hand(models.find(run), one.runner)
    if known is None:
        raise RunError(
            "What was learnt from has not been looked at yet.",
            f"Have it done with `python -m transfer neighbours {run}`.",
        )
    found = one.answers([_open(picture)])
    for error in found.unreadable.values():
        raise error
    return known.nearest(found.features[0], count)


def _knows_training_images(run: str) -> bool:
    return neighbours.at_hand(models.find(run), _load(run).runner) is not None


def _warm(run: str) -> Any:
    _load(run).runner.warm()


_REQUESTS: dict[str, Callable[..., Any]] = {
    "predict": _predict,
    "predict_each": _predict_each,
    "hear": _hear,
    "explain": _explain,
    "nearest": _nearest,
    "knows_training_images": _knows_training_images,
    "warm": _warm,
}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers requests until their stream ends.

    While one is answered, a line each second says that the process lives: an empty one,
    or that it loads what the answer needs.
    """
    for line in requests:
        request = json.loads(line)
        with _signs_of_life(answers):
            answer = _answer(request["request"], request["arguments"])
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def _answer(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"result": _REQUESTS[name](**arguments)}
    except TransferError as error:
        return {"error": error_record(error)}
    except Exception as error:  # one bad request must not end the process
        failure = RunError(f"The inference process failed: {error!r}.")
        return {"error": error_record(failure)}


@contextmanager
def _signs_of_life(answers: BinaryIO) -> Iterator[None]:
    over = threading.Event()

    def show() -> None:
        while not over.wait(BEAT):
            answers.write(_doing[0] + b"\n")
            answers.flush()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _main() -> None:
    processes.limit_memory()
    # Libraries print to standard output too; only answers may go there.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(cast(BinaryIO, sys.stdin.buffer), cast(BinaryIO, answers))


if __name__ == "__main__":
    _main()
