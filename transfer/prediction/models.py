"""The models that finished runs have left, ready to predict."""

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from transfer import cluster, shards, workspace
from transfer.backbones import catalogue, imagenet
from transfer.backbones.quick_import import quickly
from transfer.classifier import runner as runners
from transfer.classifier.runner import Answers, Runner
from transfer.datasets.decoding import Resizing
from transfer.datasets.renderings import Rendering
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.errors import ImageError, RunError, StorageError
from transfer.evaluation import calibration
from transfer.prediction import recordings
from transfer.store import database, files
from transfer.store.record import Run
from transfer.store.runs import Store

if TYPE_CHECKING:  # it takes seconds
    import keras


#: Pictures of a shard: a second of a core or less.
_PIECE = 64

#: Probabilities of one picture, `(num_classes,)`.
Row = NDArray[np.float32]


class Classifier:
    """The finished model of a run, ready to predict.

    Args:
        runner: Runs it, unscaled.
        class_names: Names in label order.
        temperature: What the probabilities are scaled by, see `calibration`.
        record: Where the runner was noted, for other machines.

    Attributes:
        runner: As given.
    """

    def __init__(
        self,
        runner: Runner,
        class_names: Sequence[str],
        temperature: float = 1.0,
        record: Path | None = None,
    ) -> None:
        self.runner, self.class_names = runner, list(class_names)
        self._temperature, self._record = temperature, record

    def answers(self, pictures: list[Path | bytes]) -> Answers:
        """Probabilities and features; a picture that cannot be read stops no other.

        Probabilities are scaled by the temperature; the model stays as it was trained.
        """
        found = self.runner.run(pictures)
        scaled = calibration.scale(found.probabilities, self._temperature)
        return found._replace(probabilities=np.asarray(scaled, np.float32))

    def answer_each(self, pictures: Sequence[Path | bytes]) -> list[Row | ImageError]:
        """The probabilities of each picture, or why it cannot be read.

        Files are read by the other machines of a cluster too, where there is one.
        """
        files = [one for one in pictures if isinstance(one, Path)]
        if self._record is None or len(files) < len(pictures):
            return self.answer_here(pictures)
        how = self.runner.rendering, self.runner.resizing, self._temperature
        ask = partial(_answer_some, self._record, *how)
        pieces = [
            files[start : start + _PIECE] for start in range(0, len(files), _PIECE)
        ]
        found = shards.each(ask, pieces, threads=1, task=1, is_doubtful=_lacks_one)
        return [*chain(*found)]

    def answer_here(self, pictures: Sequence[Path | bytes]) -> list[Row | ImageError]:
        """As `answer_each`, by this process alone."""
        found = self.answers([*pictures])
        rows = enumerate(found.probabilities)
        return [found.unreadable.get(at, row) for at, row in rows]

    def probabilities(self, pictures: list[Path | bytes]) -> NDArray[np.float32]:
        """Probabilities `(len(pictures), num_classes)`, each row summing to 1.

        Raises:
            ImageError: A picture cannot be read.
        """
        found = self.answers(pictures)
        for error in found.unreadable.values():
            raise error
        return found.probabilities

    def hear(
        self, sounds: Sequence[Path | bytes], how: Spectrogram
    ) -> NDArray[np.float32]:
        """As `probabilities`, of recordings, of which long ones are gone through.

        Raises:
            ImageError: One cannot be read.
        """

        def ask(parts: Sequence[Path | bytes]) -> list[recordings.Ranking | ImageError]:
            return [
                one if isinstance(one, ImageError) else [*zip(names, one, strict=True)]
                for one in self.answer_here(parts)
            ]

        names = self.class_names
        found = [dict(recordings.hear(ask, one, how).ranking) for one in sounds]
        return np.array([[one[name] for name in names] for one in found], np.float32)


def _lacks_one(found: list[Row | ImageError]) -> bool:
    """Whether a picture was not to be read; another machine may not have its folder."""
    return any(isinstance(one, ImageError) for one in found)


def _answer_some(
    record: Path,
    rendering: Rendering | None,
    resizing: Resizing,
    temperature: float,
    pictures: Sequence[Path],
) -> list[Row | ImageError]:
    """What a machine answers that knows no more of the run than this."""
    if runner := _runner_of(record, rendering, resizing):
        return Classifier(runner, (), temperature).answer_here(pictures)
    raise StorageError(f"The converted model of {record} is not in the workspace.")


def _runner_of(
    record: Path, rendering: Rendering | None, resizing: Resizing
) -> Runner | None:
    """The one runner of a record in this process; None where there is none yet."""
    with suppress(OSError, StorageError):
        modified = record.stat().st_mtime_ns
        return _read_runner(record, modified, rendering, resizing)
    return None


@lru_cache(maxsize=4)
def _read_runner(
    record: Path, modified: int, rendering: Rendering | None, resizing: Resizing
) -> Runner:
    if found := runners.read(record, rendering, resizing):
        return found
    raise StorageError(f"There is no converted model of {record}.")  # is not kept


def load(run: str) -> Classifier:
    """The classifier of a run, by id or name; the last few stay in memory.

    Keras is needed once, for a model that was not converted yet, or long ago.

    Raises:
        NotFoundError: There is no such run.
        RunError: The run has no model (yet), or the file is not one that a run wrote.
    """
    found = find(run)
    record, how = files.runner(found.id), (found.rendering, found.config.resizing)
    modified = _model_file(found).stat().st_mtime_ns
    runner = _runner_of(record, *how) or _convert(found.id, modified, *how)
    # The one that other machines have too, unless Keras runs it, which they lack.
    kept = _runner_of(record, *how)
    if kept and kept is not runner:
        _convert.cache_clear()  # the one just made, which is this
    temperature = float(found.result.get("temperature", 1.0))
    there = record if kept and cluster.is_used() else None
    return Classifier(kept or runner, found.result["class_names"], temperature, there)


@lru_cache(maxsize=4)
def _convert(
    run: str, modified: int, rendering: Rendering | None, resizing: Resizing
) -> Runner:
    """Converts the model of a run; what Keras runs, where it cannot be converted."""
    with quickly():  # for it imports Keras
        from transfer.classifier import converting  # noqa: PLC0415

    found = find(run)
    model, backbone = load_keras(found), found.config.backbone
    record = files.runner(run)
    return converting.make(model, backbone, record, log, rendering, resizing)


def load_keras(run: Run) -> "keras.Model":
    """The model of a run as Keras has it, unscaled.

    Raises:
        RunError: As `load`.
    """
    with quickly():  # for it imports Keras
        from transfer.classifier import model as classifier  # noqa: PLC0415

    return classifier.load(_model_file(run), len(run.result["class_names"]))


def _model_file(run: Run) -> Path:
    path = files.model(run.id)
    if not path.exists() or "class_names" not in run.result:
        raise RunError(
            f"Run {run.id} is {run.status} and has no model to predict with.",
            "Choose a run that has finished.",
        )
    return path


@lru_cache(maxsize=1)
def source() -> Classifier:
    """The default backbone as it comes, with the head for ImageNet's 1,000 classes.

    Raises:
        WeightsError: Its weights are not at hand.
    """
    backbone = catalogue.get(catalogue.DEFAULT)
    record = workspace.home() / "imagenet" / f"{backbone.name}.npz"
    runner = runners.read(record)
    if runner is None:
        with quickly():  # for it imports Keras
            from transfer.backbones import graph, source_head  # noqa: PLC0415
            from transfer.classifier import converting  # noqa: PLC0415
            from transfer.classifier import model as classifier  # noqa: PLC0415

        kernel, bias = source_head.whole_layer(backbone)
        channels, classes = kernel.shape
        head = classifier.head("linear", channels, classes, seed=0)
        head.get_layer("logits").set_weights([kernel, bias])
        built = graph.build(backbone.name, weights="imagenet")
        pooled = classifier.add_pooling(built, (1, 1))  # what the kernel was trained on
        model = classifier.assemble(pooled, head)
        runner = converting.make(model, backbone.name, record, log)
    return Classifier(runner, imagenet.titles())


def find(run: str) -> Run:
    """The run of this id or name.

    Raises:
        NotFoundError: There is none.
    """
    return _store(str(database.default_url())).get(run)


@lru_cache(maxsize=1)
def _store(url: str) -> Store:
    # One for all questions: to open it takes longer than to look up a run.
    return Store(url)


def rank(
    classifier: Classifier, row: NDArray[np.float32], top: int | None = None
) -> list[tuple[str, float]]:
    """The best classes of one picture, all where `top` is not given."""
    labels = np.argsort(-row)[:top]
    return [(classifier.class_names[label], float(row[label])) for label in labels]


def log(line: str) -> None:
    """A line of the process' log: which engine runs a model, and why."""
    print(line, flush=True)
