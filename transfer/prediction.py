"""Classes of pictures by a finished run; also the long-lived inference process.

`python -m transfer.prediction` answers one JSON request a line on standard input with
one JSON answer a line on standard output; `transfer.inference` is its other end.
"""

import base64
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from transfer import calibration, classifier, evaluation, workspace
from transfer.backbones import catalogue, graph, pretrained
from transfer.datasets import images
from transfer.datasets.revision import Split
from transfer.errors import RunError, TransferError
from transfer.features import engines
from transfer.runs.record import Run, error_record
from transfer.runs.store import Store

_BATCH = 32


class Classifier:
    """The finished model of a run, ready to predict.

    Args:
        path: The run's `model.keras`.
        class_names: Names in label order.
        temperature: What the probabilities are scaled by, see `calibration`.

    Attributes:
        model: The model, unscaled.

    Raises:
        RunError: The file is not a model that a run wrote.
    """

    def __init__(
        self, path: Path, class_names: list[str], temperature: float = 1.0
    ) -> None:
        self.class_names = class_names
        self._temperature = temperature
        self.model = classifier.load(path, len(class_names))

    def probabilities(self, pictures: list[Path | bytes]) -> NDArray[np.float32]:
        """Probabilities `(len(pictures), num_classes)`, each row summing to 1.

        They are scaled by the temperature; the model itself stays as it was trained.

        Raises:
            ImageError: A picture cannot be read.
        """
        size = self.model.input_shape[1:3]
        rows = []
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for start in range(0, len(pictures), _BATCH):
                batch = pictures[start : start + _BATCH]
                pixels = np.stack([*pool.map(lambda p: images.decode(p, size), batch)])
                rows.append(self.model.predict_on_batch(pixels.astype(np.float32)))
        return calibration.scaled(np.concatenate(rows), self._temperature)


@lru_cache(maxsize=4)
def _loaded(
    path: Path, modified: int, class_names: tuple[str, ...], temperature: float
) -> Classifier:
    return Classifier(path, list(class_names), temperature)


def load(run: str) -> Classifier:
    """The classifier of a run, by id or name; the last few stay in memory.

    Raises:
        NotFoundError: There is no such run.
        RunError: The run has no model (yet).
    """
    found = _found(run)
    path = workspace.home() / "runs" / found.id / "model.keras"
    if not path.exists() or "class_names" not in found.result:
        raise RunError(
            f"Run {found.id} is {found.status} and has no model to predict with.",
            "Choose a run that has finished.",
        )
    names = tuple(found.result["class_names"])
    temperature = float(found.result.get("temperature", 1.0))
    return _loaded(path, path.stat().st_mtime_ns, names, temperature)


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
        [
            (classifier.class_names[label], float(row[label]))
            for label in np.argsort(-row)
        ]
        for row in classifier.probabilities(pictures)
    ]


def _predict(run: str, pictures: list[dict[str, str]]) -> Any:
    opened: list[Path | bytes] = [
        Path(p["path"]) if "path" in p else base64.b64decode(p["bytes"])
        for p in pictures
    ]
    return ranked(load(run), opened)


def _structure(backbone: str, image_size: int | None) -> Any:
    size = (image_size, image_size) if image_size else None
    model = graph.build(backbone, weights="random", image_size=size)
    return graph.structure(model, backbone).to_json()


def _measure(backbone: str, image_size: int | None) -> Any:
    size = (image_size, image_size) if image_size else None
    model = classifier.pooled(graph.build(backbone, image_size=size))
    key = f"{backbone}-random"
    return engines.measure(model, backbone, key, lambda line: print(line, flush=True))


def _fetch(backbone: str) -> Any:
    return str(pretrained.fetch(catalogue.get(backbone)))


def _add(path: str) -> Any:
    return pretrained.add(Path(path)).name


def _evaluate(run: str, split: Split) -> Any:
    model = load(run).model
    found = evaluation.evaluate(_found(run), model, split, lambda line: print(line))
    if split == "val":
        store = Store()
        try:
            store.amend(found.run, temperature=found.temperature)
        finally:
            store.close()
    return found.summary()


_REQUESTS: dict[str, Callable[..., Any]] = {
    "predict": _predict,
    "structure": _structure,
    "measure": _measure,
    "fetch": _fetch,
    "add": _add,
    "evaluate": _evaluate,
}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers requests until their stream ends."""
    for line in requests:
        request = json.loads(line)
        try:
            answer = {"result": _REQUESTS[request["request"]](**request["arguments"])}
        except TransferError as error:
            answer = {"error": error_record(error)}
        except Exception as error:  # one bad request must not end the process
            failure = RunError(f"The inference process failed: {error!r}.")
            answer = {"error": error_record(failure)}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def _main() -> None:
    # Libraries print to standard output too; only answers may go there.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(cast(BinaryIO, sys.stdin.buffer), cast(BinaryIO, answers))


if __name__ == "__main__":
    _main()
