"""The models that finished runs have left, ready to predict."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transfer.classifier import model as classifier
from transfer.classifier import runner
from transfer.datasets.decoding import Grey
from transfer.errors import RunError
from transfer.evaluation import calibration
from transfer.store import files
from transfer.store.record import Run
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
        self.runner = runner.Runner(self.model, backbone, log, grey)
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
def _read_model(
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
    found = find(run)
    path = files.model(found.id)
    if not path.exists() or "class_names" not in found.result:
        raise RunError(
            f"Run {found.id} is {found.status} and has no model to predict with.",
            "Choose a run that has finished.",
        )
    return _read_model(
        path,
        path.stat().st_mtime_ns,
        tuple(found.result["class_names"]),
        found.config.backbone,
        float(found.result.get("temperature", 1.0)),
        found.grey,
    )


def find(run: str) -> Run:
    """The run of this id or name.

    Raises:
        NotFoundError: There is none.
    """
    store = Store()
    try:
        return store.get(run)
    finally:
        store.close()


def rank(
    classifier: Classifier, row: NDArray[np.float32], top: int | None = None
) -> list[tuple[str, float]]:
    """The best classes of one picture, all where `top` is not given."""
    labels = np.argsort(-row)[:top]
    return [(classifier.class_names[label], float(row[label])) for label in labels]


def log(line: str) -> None:
    """A line of the process' log: which engine runs a model, and why."""
    print(line, flush=True)
