"""Evaluates a run on a split: what its whole model says of every picture."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from transfer import processes
from transfer.datasets import library
from transfer.datasets.revision import Image, Split
from transfer.datasets.wording import WORDS
from transfer.errors import DatasetError, StorageError
from transfer.evaluation import (
    calibration,
    image_map,
    intervals,
    large,
    metrics,
    results,
)
from transfer.evaluation.intervals import Interval
from transfer.evaluation.results import Evaluation, Robustness
from transfer.evaluation.robustness import KINDS, SOUND_KINDS, Originals
from transfer.features import shard
from transfer.features.converted import BATCH
from transfer.features.extract import Extractor
from transfer.features.views import View
from transfer.store.record import Run

#: Spoilt pictures: how many images at most, at least, and for how many seconds, which
#: the features of the map may take too.
_MOST, _FEWEST, _SECONDS = 200, 20, 20.0

Log = Callable[[str], None]
#: Takes what is being done (`answers`, `spoilt`, `map`), how many images are done and
#: how many there are.
Told = Callable[[str, int, int], None]
#: Images between two words about how far it is.
_PIECE = 256
#: Number of right answers by kind of change and strength; ("", 0) is unspoilt.
_Hits = dict[tuple[str, float], int]


class Evaluator:
    """Evaluates one run.

    The model runs in float32 in the fastest engine. Features of a frozen backbone that
    the run's training has kept are taken from the cache.

    Args:
        run: The run.
        model: Its whole classifier, as `classifier.assemble` made it.
        log: Takes lines for the log.
        told: Takes how far it is.
    """

    def __init__(
        self,
        run: Run,
        model: keras.Model,
        log: Log,
        told: Told = lambda *_: None,
    ) -> None:
        self._run, self._log, self._told = run, log, told
        self._revision = library.load(run.config.dataset, run.config.revision)
        self._changes = SOUND_KINDS if self._revision.sound else KINDS
        # How often each picture is asked about: as it is, and spoilt in every way.
        self._ways = 1 + sum(len(one.strengths) for one in self._changes.values())
        # The two parts are asked apart: the pooled features are what is cached, and
        # what the map is drawn from.
        self._head = model.get_layer("head")
        backbone = model.get_layer("pooled_backbone")
        self._extractor = Extractor(
            backbone,
            ["pooling"],
            run.config.backbone,
            log,
            rendering=self._revision.rendering,
            resizing=run.config.resizing,
        )
        self._originals = Originals(self._extractor.reading)

    def evaluate(self, split: Split) -> Evaluation:
        """The answers for every image of a split, and all figures of them.

        Raises:
            DatasetError: The split has no images.
            ImageError: A picture cannot be read.
        """
        found = self._revision.of_split(split)
        if not found:
            what = WORDS[self._revision.kind].images
            raise DatasetError(
                f'The dataset "{self._revision.title}" has no {split} {what}.',
                "Choose another split, or import it again with a share of that split.",
            )
        parts = map(self._answers, self._read(found, "answers"))
        probabilities = large.fill(len(found), parts)
        answers = self._evaluation(split, found, probabilities)
        if split != "val":
            return answers
        # Fitted on val; every other split takes what that gave.
        fitted = calibration.fit(answers.probabilities, answers.labels)
        return replace(answers, temperature=fitted)

    def map_all(self, temperature: float) -> Evaluation:
        """The answers for images of all splits, and their places on the map.

        Args:
            temperature: What their probabilities are to be scaled by.
        """
        found = self._revision.images
        most = int(_SECONDS / self._seconds_per_image())
        chosen = [found[i] for i in image_map.choose(len(found), most=most)]
        features = np.concatenate([*self._read(chosen, "map")])
        return replace(
            self._evaluation("all", chosen, self._answers(features)),
            temperature=temperature,
            map_places=image_map.layout(features),
        )

    def _evaluation(
        self,
        source: results.Source,
        found: Sequence[Image],
        probabilities: NDArray[np.float32],
    ) -> Evaluation:
        """What the model says of these images, and how well that is."""
        labels = np.array([image.label for image in found], np.int64)
        return Evaluation(
            run=self._run.id,
            split=source,
            class_names=self._revision.class_names,
            sha256=large.texts([image.sha256 for image in found]),
            paths=large.texts([image.path for image in found]),
            labels=labels,
            probabilities=probabilities,
            temperature=float(self._run.result.get("temperature", 1.0)),
            figures=metrics.figures(probabilities, labels),
        )

    def _read(
        self, found: Sequence[Image], doing: str
    ) -> Iterator[NDArray[np.float32]]:
        """The pooled features, some images' at a time; tells how far it is."""
        views = [View(one.sha256) for one in found]
        if shard.pays(len(views)):  # others compute what is kept, not what is read
            tell = partial(self._told, doing)
            try:
                self._extractor.compute({"pooling": views}, tell)
            except StorageError as error:  # what is not kept is computed below
                self._log(f"{error} The evaluation goes on without the cache.")
        for start in range(0, max(len(views), 1), _PIECE):
            self._told(doing, start, len(views))
            piece = self._extractor.read("pooling", views[start : start + _PIECE])
            yield piece.astype(np.float32, copy=False)

    def _answers(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities `(images, num_classes)` of pooled features."""
        logits = self._head(features, training=False)
        softmax = keras.ops.softmax(keras.ops.cast(logits, "float32"))
        return np.asarray(keras.ops.convert_to_numpy(softmax), np.float32)

    def add_details(self, evaluation: Evaluation, thorough: bool = False) -> Evaluation:
        """The evaluation with the accuracy on spoilt pictures.

        Args:
            thorough: Try as many as are wanted, however long it takes.
        """
        return replace(evaluation, robustness=self._robustness(evaluation, thorough))

    def _robustness(self, evaluation: Evaluation, thorough: bool) -> Robustness:
        # The same images in every run of this split, so that runs can be compared.
        order = np.random.default_rng(0).permutation(len(evaluation.labels))[:_MOST]
        with ThreadPoolExecutor(processes.cores()) as pool:
            first = str(evaluation.sha256[0])
            each = self._seconds_per_image() + self._originals.seconds_to_draw(first)
            seconds = each * self._ways  # for one image
            affordable = len(order) if thorough else int(_SECONDS / seconds)
            if affordable < _FEWEST and affordable < len(order):
                minutes = math.ceil(seconds * len(order) / 60)
                return Robustness(
                    skipped=f"To try {len(order)} of them spoilt in {self._ways - 1} "
                    f"ways takes this backbone about {minutes} "
                    f"{'minute' if minutes == 1 else 'minutes'} on this machine, so it "
                    "was left out."
                )
            # A sample that the time allows for; fewer than the fewest tell nothing.
            chosen = order[:affordable]
            hits: _Hits = {}
            for start in range(0, len(chosen), BATCH):
                batch = chosen[start : start + BATCH]
                spoilt = self._answers_to_spoilt(evaluation.sha256[batch], pool)
                for way, (key, answers) in enumerate(spoilt):
                    done = start + len(batch) * way // self._ways
                    self._told("spoilt", done, len(chosen))
                    right = np.sum(answers == evaluation.labels[batch])
                    hits[key] = hits.get(key, 0) + int(right)
        return _robustness_of(hits, len(chosen))

    def _seconds_per_image(self) -> float:
        height, width = self._extractor.image_size
        blank = np.zeros((BATCH, height, width, 3), np.uint8)
        self._extractor.run("pooling", blank)  # loads the engine
        start = time.perf_counter()
        self._extractor.run("pooling", blank)
        return (time.perf_counter() - start) / BATCH

    def _answers_to_spoilt(
        self, hashes: NDArray[np.str_], pool: Executor
    ) -> Iterator[tuple[tuple[str, float], NDArray[np.int64]]]:
        """What the model answers to one batch, spoilt in every way."""
        originals = list(pool.map(self._originals.read, map(str, hashes)))
        seeds = [int(str(one)[:8], 16) for one in hashes]

        def ask(some: Iterable[NDArray[Any]]) -> NDArray[np.int64]:
            pixels = np.stack([*pool.map(self._originals.draw, some)])
            features = self._extractor.run("pooling", pixels)
            return np.asarray(self._answers(features).argmax(1), np.int64)

        # The same images unspoilt, for a sample does not have the accuracy of all.
        yield ("", 0.0), ask(originals)
        for name, kind in self._changes.items():
            for strength in kind.strengths:
                same = [strength] * len(originals)
                spoilt = pool.map(kind.change, originals, same, seeds)
                yield (name, strength), ask(spoilt)


def _robustness_of(hits: _Hits, images: int) -> Robustness:
    accuracy: dict[str, list[tuple[float, Interval]]] = {}
    for (name, strength), count in hits.items():
        if name:
            accuracy.setdefault(name, []).append(
                (strength, intervals.wilson(count, images))
            )
    unspoilt = intervals.wilson(hits["", 0.0], images)
    return Robustness(images=images, unspoilt=unspoilt, accuracy=accuracy)


def evaluate(
    run: Run,
    model: keras.Model,
    split: Split,
    log: Log,
    told: Told = lambda *_: None,
    thorough: bool = False,
) -> Evaluation:
    """The stored evaluation of a run's split, with all details, and the run's map.

    Answers that are stored already are not asked for again.

    Args:
        run: A run that has finished.
        model: Its whole classifier.
        split: The images.
        log: Takes lines for the log.
        told: Takes how far it is.
        thorough: Try spoilt pictures however long it takes.

    Raises:
        TransferError: The dataset is gone, the split empty, or a picture broken.
    """
    evaluator = Evaluator(run, model, log, told)
    found = results.load(run.id, split)
    # Stored after each stage, so that a page can show the first while the rest is
    # still computed, and nothing is lost where it is cut off.
    if found is None:
        found = evaluator.evaluate(split)
        results.save(found)
    if found.lacks_robustness(thorough):
        found = evaluator.add_details(found, thorough)
        results.save(found)
    if results.load(run.id, "all") is None:
        results.save(evaluator.map_all(found.temperature))
    return found
