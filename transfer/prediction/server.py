"""Classes of pictures by a finished run; also the long-lived inference process.

`python -m transfer.prediction.server` answers one JSON request a line on standard input
with one JSON answer a line on standard output; its other end is
`transfer.prediction.client`.
"""

import base64
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from transfer.backbones import catalogue, graph, pretrained
from transfer.classifier import model as classifier
from transfer.classifier import runner
from transfer.datasets import decoding
from transfer.datasets.decoding import Grey
from transfer.errors import NotFoundError, RunError, TransferError
from transfer.evaluation import calibration
from transfer.features import engines
from transfer.prediction import explain, neighbours
from transfer.prediction.client import BEAT
from transfer.store import files
from transfer.store.record import Run, error_record
from transfer.store.runs import Store


class Classifier:
    """The finished model of a run, ready to predict.

    Args:
        path: The run's `model.keras`.
        class_names: Names in label order.
        backbone: Name in the catalogue.
        temperature: What the probabilities are scaled by, see `calibration`.
        grey: The range of deep grey that it learnt with.

    Attributes:
        model: The model, unscaled.
        runner: Runs it.

    Raises:
        RunError: The file is not a model that a run wrote.
    """

    def __init__(
        self,
        path: Path,
        class_names: list[str],
        *,
        backbone: str,
        temperature: float = 1.0,
        grey: Grey | None = None,
    ) -> None:
        self.class_names = class_names
        self.model = classifier.load(path, len(class_names))
        self.runner = runner.Runner(self.model, backbone, _log, grey)
        self._temperature = temperature

    def answers(self, pictures: list[Path | bytes]) -> runner.Answers:
        """Probabilities and features; a picture that cannot be read stops no other.

        Probabilities are scaled by the temperature; the model stays as it was trained.
        """
        found = self.runner.run(pictures)
        scaled = calibration.scale(found.probabilities, self._temperature)
        return found._replace(probabilities=np.asarray(scaled, np.float32))

    def probabilities(self, pictures: list[Path | bytes]) -> NDArray[np.float32]:
        """Probabilities `(len(pictures), num_classes)`, each row summing to 1.

        Raises:
            ImageError: A picture cannot be read.
        """
        found = self.answers(pictures)
        for error in found.unreadable.values():
            raise error
        return found.probabilities


@lru_cache(maxsize=4)
def _loaded(
    path: Path,
    modified: int,
    class_names: tuple[str, ...],
    backbone: str,
    temperature: float,
    grey: Grey | None,
) -> Classifier:
    return Classifier(
        path, list(class_names), backbone=backbone, temperature=temperature, grey=grey
    )


def load(run: str) -> Classifier:
    """The classifier of a run, by id or name; the last few stay in memory.

    Raises:
        NotFoundError: There is no such run.
        RunError: The run has no model (yet).
    """
    found = _found(run)
    path = files.model(found.id)
    if not path.exists() or "class_names" not in found.result:
        raise RunError(
            f"Run {found.id} is {found.status} and has no model to predict with.",
            "Choose a run that has finished.",
        )
    return _loaded(
        path,
        path.stat().st_mtime_ns,
        tuple(found.result["class_names"]),
        found.config.backbone,
        float(found.result.get("temperature", 1.0)),
        found.grey,
    )


def _found(run: str) -> Run:
    store = Store()
    try:
        return store.get(run)
    finally:
        store.close()


def ranked(
    classifier: Classifier, pictures: list[Path | bytes]
) -> list[list[tuple[str, float]]]:
    """Class names and probabilities of each picture, all classes, best first."""
    return [
        _ranking(classifier, row, None) for row in classifier.probabilities(pictures)
    ]


def _ranking(
    classifier: Classifier, row: NDArray[np.float32], top: int | None
) -> list[tuple[str, float]]:
    labels = np.argsort(-row)[:top]
    return [(classifier.class_names[label], float(row[label])) for label in labels]


def _opened(picture: dict[str, str]) -> Path | bytes:
    if "path" in picture:
        return Path(picture["path"])
    return base64.b64decode(picture["bytes"])


def _predict(run: str, pictures: list[dict[str, str]]) -> Any:
    return ranked(load(run), [_opened(one) for one in pictures])


def _predict_each(run: str, pictures: list[dict[str, str]], top: int | None) -> Any:
    one = load(run)
    found = one.answers([_opened(picture) for picture in pictures])
    return [
        {"error": error_record(found.unreadable[i])}
        if i in found.unreadable
        else {"ranking": _ranking(one, row, top)}
        for i, row in enumerate(found.probabilities)
    ]


def _explain(run: str, picture: dict[str, str], class_name: str) -> Any:
    one, opened = load(run), _opened(picture)
    content = opened if isinstance(opened, bytes) else opened.read_bytes()
    if class_name not in one.class_names:
        raise NotFoundError(f'The run has no class "{class_name}".')
    pixels = decoding.decode(content, one.runner.image_size, one.runner.grey)
    label = one.class_names.index(class_name)
    heat = explain.heat_map(one.model, pixels, label)
    return base64.b64encode(explain.overlay(content, heat, one.runner.grey)).decode()


def _nearest(run: str, picture: dict[str, str], count: int) -> Any:
    one = load(run)
    found = one.answers([_opened(picture)])
    for error in found.unreadable.values():
        raise error
    known = neighbours.of_run(_found(run), one.runner)
    return known.nearest(found.features[0], count)


def _warm(run: str) -> Any:
    load(run).runner.warm()


def _structure(backbone: str, image_size: int | None) -> Any:
    size = (image_size, image_size) if image_size else None
    model = graph.build(backbone, weights="random", image_size=size)
    return graph.structure(model, backbone).to_json()


def _measure(backbone: str, image_size: int | None) -> Any:
    size = (image_size, image_size) if image_size else None
    model = classifier.add_pooling(graph.build(backbone, image_size=size))
    height, width = model.input_shape[1:3]
    key = f"{backbone}-random-{height}x{width}"
    return engines.measure(model, backbone, key, _log)


def _log(line: str) -> None:
    print(line, flush=True)


def _fetch(backbone: str) -> Any:
    return str(pretrained.fetch(catalogue.get(backbone)))


def _add(path: str) -> Any:
    return pretrained.add(Path(path)).name


_REQUESTS: dict[str, Callable[..., Any]] = {
    "predict": _predict,
    "predict_each": _predict_each,
    "explain": _explain,
    "nearest": _nearest,
    "warm": _warm,
    "structure": _structure,
    "measure": _measure,
    "fetch": _fetch,
    "add": _add,
}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers requests until their stream ends; empty lines say that it lives."""
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
            answers.write(b"\n")
            answers.flush()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _main() -> None:
    # Libraries print to standard output too; only answers may go there.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(cast(BinaryIO, sys.stdin.buffer), cast(BinaryIO, answers))


if __name__ == "__main__":
    _main()
