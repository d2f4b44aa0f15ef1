"""Trains a classifier: the head on a frozen backbone, then the unfrozen layers too."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from transfer.backbones import catalogue, graph, source_head
from transfer.backbones.freezing import FreezePlan, Resolved
from transfer.backbones.structure import Structure
from transfer.classifier import closed_form
from transfer.classifier import model as classifier
from transfer.config import TrainConfig
from transfer.datasets.revision import Revision, Split
from transfer.errors import StorageError, TrainingError, TransferError
from transfer.features.extract import Extractor, Features, agree
from transfer.features.views import View
from transfer.store import outcome
from transfer.store.outcome import PHASES
from transfer.training import optimizers
from transfer.training.block_changes import BlockChanges
from transfer.training.listener import Listener
from transfer.training.phase import Best, Examples, Phase, Recipe, StepTooSlow
from transfer.training.snapshot import Snapshot

#: Images on which bfloat16 is compared with float32.
_SAMPLE = 384

#: Epochs of a phase that its listener ends.
_WITHOUT_END = 1000

_OUT_OF_MEMORY = (MemoryError, tf.errors.ResourceExhaustedError)

#: A learning rate by step.
Rate: TypeAlias = keras.optimizers.schedules.LearningRateSchedule


@dataclass(kw_only=True)
class Trained:
    """What a training ends with.

    Attributes:
        model: The whole classifier with the best epoch's weights.
        best: Which epoch that was, and what it reached on val.
        batch_size: Images per step at the end: smaller than set where it was halved.
        halved_for: Why it is: `memory`, `time` or, where there are no more training
            images, `images`; empty if it is not.
        ended_early: What ended the training before its time, and what was kept;
            empty if nothing did.
        trainable_parameters: Number of weights that were trained.
        frozen_parameters: Number of weights that stayed as they were.
        seconds: Duration by phase: `prepare`, `head`, `fine_tune`, `evaluate`.
    """

    model: keras.Model
    best: Best
    batch_size: int
    halved_for: str
    ended_early: str
    trainable_parameters: int
    frozen_parameters: int
    seconds: dict[str, float]


def train(
    config: TrainConfig,
    revision: Revision,
    listener: Listener,
    resume: Snapshot | None = None,
    start_from: Path | None = None,
) -> Trained:
    """A classifier for the classes of `revision`, trained as `config` says.

    Args:
        config: The settings.
        revision: The images, their classes and splits.
        listener: Hears of progress, and says when to stop.
        resume: Where an earlier training of the same settings and images ended; this
            one ends as that one would have.
        start_from: The `model.keras` of a run with the same backbone, head and
            classes, whose weights are the start in place of the pretrained ones.

    Returns:
        The trained classifier. Where a stop was requested, or training failed when
        there was a good model already, that of the best epoch until then.

    Raises:
        StopRequested: The stop was requested before the training proper began.
        TransferError: Backbone, weights, freeze plan or images do not fit.
    """
    keras.utils.set_random_seed(config.seed)
    job = _Job(config, revision, listener, resume=resume, start_from=start_from)
    with job.timed("prepare"):
        job.prepare()
    with job.timed("head"):
        job.train_head()
    with job.timed("fine_tune"):
        stops = job.ended_early or listener.stop_requested()
        if job.fine_tunes and not stops:
            job.fine_tune()
    with job.timed("evaluate"):
        return job.finish()


class AtDepth(NamedTuple):
    """What a training of one freeze plan came to.

    Attributes:
        resolved: What the plan is in the backbone.
        best: Its best epoch.
        trainable_parameters: Number of weights that were trained, the head's included.
        seconds: That the plan took, the shared head phase included.
    """

    resolved: Resolved
    best: Best
    trainable_parameters: int
    seconds: float


def train_depths(
    config: TrainConfig,
    revision: Revision,
    plans: Callable[[Structure], Sequence[FreezePlan]],
    listener: Listener,
) -> Iterator[AtDepth]:
    """Trainings that differ in their freeze plan alone, one by one.

    They share the backbone, one pass for all features, and the head phase, from whose
    end each goes on; what is left of each is its own fine-tuning.

    Args:
        config: The settings; its freeze plan is passed over.
        revision: The images, their classes and splits.
        plans: Gives the freeze plans for the backbone's structure.
        listener: Hears of progress, and says when to stop.

    Raises:
        StopRequested: The stop was requested before the training proper began.
        TransferError: Backbone, weights, freeze plan or images do not fit.
    """
    keras.utils.set_random_seed(config.seed)
    job = _Job(config, revision, listener)
    job.build()
    resolved = [plan.resolve(job.structure) for plan in plans(job.structure)]
    cuts = [one.cut.layer for one in resolved if one.trainable_layers]
    examples = job.compute_features(["pooling", *dict.fromkeys(cuts)])
    start = time.perf_counter()
    job.pooled = examples["pooling"]
    job.train_head()
    head, head_seconds = job.best, time.perf_counter() - start
    fresh = {v.path: keras.ops.convert_to_numpy(v) for v in job.backbone.variables}
    for one in resolved:
        start = time.perf_counter()
        job.resolved, job.best = one, replace(head, weights=fresh | head.weights)
        job.restore()
        if job.fine_tunes:
            job.at_cut = examples[one.cut.layer]
            job.fine_tune()
        seconds = head_seconds + time.perf_counter() - start
        trained = one.trainable_parameters + job.head.count_params()
        yield AtDepth(one, job.best, trained, seconds)


def try_rates(
    config: TrainConfig,
    revision: Revision,
    grown: tuple[float, float],
    listener: Listener,
) -> Iterator[str]:
    """Range tests of the phases that a run of these settings has, one by one.

    The head is tried from where its phase starts, the unfrozen layers from where a
    head phase ends. What a test has done to the weights is undone.

    Args:
        config: The settings, of the method `train`.
        revision: The images, their classes and splits.
        grown: The first learning rate, and by what it is multiplied at each step.
        listener: Hears of the steps of the tests, and ends each by a stop.

    Yields:
        The name of a phase whose test has ended.

    Raises:
        TrainingError: Memory or speed does not do for the batch size.
        TransferError: Backbone, weights, freeze plan or images do not fit.
    """
    keras.utils.set_random_seed(config.seed)
    first, factor = grown
    rate = keras.optimizers.schedules.ExponentialDecay(first, 1, factor)
    job = _Job(config, revision, listener)
    job.prepare()
    job._begin_head()
    job.try_rate(job._head_phase(rate), job.pooled["train"])
    yield "head"
    if job.fine_tunes:
        job.listener = Listener()
        job.train_head()
        job.begin_fine_tune()
        job.listener = listener
        job.try_rate(job._fine_tune_phase(rate), job.at_cut["train"])
        yield "fine_tune"


@dataclass
class _Job:
    """A training in the making."""

    config: TrainConfig
    revision: Revision
    listener: Listener
    seconds: dict[str, float] = field(default_factory=dict)
    best: Best = field(default_factory=Best)
    ended_early: str = ""
    resume: Snapshot | None = None
    start_from: Path | None = None

    def __post_init__(self) -> None:
        self.batch_size, self.halved_for = self.config.batch_size, ""
        images = max(1, len(self.revision.of_split("train")))
        if images < self.batch_size:
            self.batch_size, self.halved_for = images, "images"
        if self.config.class_weights != "none":
            self.best.follows = "balanced_accuracy"
        if self.resume:
            self.batch_size = min(self.batch_size, self.resume.batch_size)
            self.best.restore(self.resume)

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Notes how long the block takes, and that the run is in this phase."""
        best = self.best
        self.listener.progress(
            phase=phase, best_phase=best.phase, best_epoch=best.epoch
        )
        start = time.perf_counter()
        yield
        self.seconds[phase] = time.perf_counter() - start

    @property
    def fine_tunes(self) -> bool:
        """Whether anything but the head trains."""
        plan = self.resolved.trainable_layers
        return bool(plan) and self.config.fine_tune_epochs > 0

    def prepare(self) -> None:
        """Builds the backbone and computes the features that both phases need.

        Of all images, at the pooling layer and, if it is needed, at the cut.
        """
        self.build()
        layers = ["pooling"]
        if self.fine_tunes:
            layers.append(self.resolved.cut.layer)
        examples = self.compute_features(layers)
        self.pooled, self.at_cut = examples["pooling"], examples[layers[-1]]

    def build(self) -> None:
        """Builds the backbone and the head, and reads what the freeze plan means."""
        config = self.config
        backbone = graph.build(
            config.backbone,
            weights=config.weights,
            image_size=_image_size(config),
            seed=config.seed,
        )
        self.structure = graph.structure(backbone, config.backbone)
        self.resolved: Resolved = FreezePlan.parse(config.freeze).resolve(
            self.structure
        )
        self.backbone = classifier.pooled(backbone)
        self.head = classifier.head(
            config.head,
            self.backbone.output_shape[-1],
            len(self.revision.class_names),
            config.seed,
        )
        if self.start_from:
            classifier.take_weights(self.start_from, self.backbone, self.head)
        self.changes = BlockChanges(self.backbone, self.structure)

    def compute_features(
        self, layers: Sequence[str]
    ) -> dict[str, dict[Split, Examples]]:
        """Features and labels of train and val at each of these layers."""
        exact = Extractor(
            self.backbone,
            layers,
            self.config.backbone,
            self.listener.log,
            grey=self.revision.grey,
        )
        examples: dict[str, dict[Split, Examples]] = {layer: {} for layer in layers}

        def fill(split: Split, extractor: Extractor) -> None:
            for layer in layers:
                examples[layer][split] = self._examples(extractor, layer, split)
            of = {n: one[split].features.kept_views for n, one in examples.items()}
            self._compute(extractor, of)

        # What is judged is the model as it predicts and leaves: in float32.
        fill("val", exact)
        fill("train", self._quickest(exact, layers))
        for by_split in examples.values():
            for one in by_split.values():
                one.features.load()
        return examples

    def _compute(
        self, extractor: Extractor, wanted: Mapping[str, Sequence[View]]
    ) -> None:
        """Fills the cache; a full disk ends no run."""

        def progress(done: int, of: int) -> None:
            self.listener.progress(phase="prepare", step=done, steps=of)
            self.listener.check_stop()

        try:
            extractor.compute(wanted, progress)
        except StorageError as error:
            self.listener.log(
                f"{error} This run goes on without the cache, from the pictures."
            )

    def _quickest(self, exact: Extractor, layers: Sequence[str]) -> Extractor:
        """In bfloat16 where that is faster here and these images' answers agree."""
        name, log = self.config.backbone, self.listener.log
        if self.config.precision == "float32" or not exact.is_faster_in_bfloat16():
            return exact
        grey = self.revision.grey
        quick = Extractor(self.backbone, layers, name, log, bfloat16=True, grey=grey)
        if self.config.precision == "bfloat16":
            exact.release()
            return quick
        train = self.revision.of_split("train")
        chosen = np.random.default_rng(0).permutation(len(train))[:_SAMPLE]
        views = [View(train[i].sha256) for i in chosen]
        labels = np.array([train[i].label for i in chosen], np.int32)
        self._compute(exact, dict.fromkeys(layers, views))
        exact.release()
        self._compute(quick, dict.fromkeys(layers, views))
        rows, others = (
            one.read("pooling", views).astype(np.float32) for one in (exact, quick)
        )
        if agree(rows, others, labels, len(self.revision.class_names)):
            log(f"Features in bfloat16: on {len(views)} images it answers the same.")
            return quick
        log(f"Features in float32: on {len(views)} images bfloat16 differs too much.")
        return exact

    def _examples(self, extractor: Extractor, layer: str, split: Split) -> Examples:
        images = self.revision.of_split(split)
        config, hashes = self.config, [image.sha256 for image in images]
        features = Features(extractor, layer, hashes)
        if split == "train":
            features = Features(
                extractor, layer, hashes, config.augmentations, config.views
            )
        return Examples(features, np.array([i.label for i in images], np.int32))

    def train_head(self) -> None:
        """The head phase, or what stands in for it."""
        if self.resume and self.resume.phase == "fine_tune":
            self.listener.log("The head phase is done already.")
            return
        if not self.resume:
            self._begin_head()
        with self._keeping_best():
            if self.config.method == "train":
                self._run(self._head_phase, self.config.head_epochs, self.pooled)
            else:
                self._judge_head()
        self.restore()

    def _judge_head(self) -> None:
        """The one epoch of a head that does not train in steps."""
        phase, of = self._head_phase(), self.pooled
        reached = phase.evaluate(of["train"])
        phase.finish_epoch(1, reached, of["val"], self.best, self.listener)

    @contextmanager
    def _keeping_best(self) -> Iterator[None]:
        """Ends the training early where it fails, if there is a good model already."""
        try:
            yield
        except (TransferError, *_OUT_OF_MEMORY) as error:
            if not self._has_learnt():
                raise
            self.ended_early = self._in_words(error)
            self.listener.log(f"The training ends early. {self.ended_early}")

    def _has_learnt(self) -> bool:
        """Whether the best until now is more than a head of random numbers."""
        best = self.best
        from_model = bool(self.config.start_from) or self.config.head == "linear"
        return (
            bool(best.epoch)
            or best.phase == "fine_tune"
            or (best.phase == "head" and from_model)
        )

    def _in_words(self, error: Exception) -> str:
        """What ended the training early, what is kept, and what to try."""
        if not isinstance(error, TransferError):
            error = _no_memory("There was not enough memory.")
        epoch, phase = self.best.epoch, PHASES[self.best.phase]
        start = outcome.start(self.config)
        kept = f"epoch {epoch} of the {phase} phase" if epoch else start
        words = f"{error.message} Kept is the best until then: {kept}. {error.hint}"
        return words.strip()

    def _head_phase(self, rate: Rate | None = None) -> Phase:
        return Phase(
            "head",
            self._head_alone,
            self.head.trainable_variables,
            self._optimizer(rate or self.config.learning_rate),
            self._recipe(),
            self._random(),
        )

    def _optimizer(self, rate: Any, factors: optimizers.Factors = ()) -> Any:
        config = self.config
        return optimizers.make(config.optimizer, rate, factors, config.weight_decay)

    def _random(self) -> list[keras.Variable]:
        """The random state of the head's dropout."""
        return list(self.head.non_trainable_variables)

    def _begin_head(self) -> None:
        """Where the head starts from."""
        if self.config.method == "source":
            names = self.revision.class_names
            backbone = catalogue.get(self.config.backbone)
            taken = source_head.classification_layer(backbone, names)
            self.head.get_layer("logits").set_weights(taken)
        elif self.config.head == "linear" and not self.start_from:
            self._solve_head()

    def _run(
        self,
        make: Callable[[], Phase],
        epochs: int,
        examples: Mapping[Split, Examples],
    ) -> None:
        """Runs a phase; where memory or speed is short, on with half the batch."""
        train, val = examples["train"], examples["val"]
        start, self.resume = self.resume, None
        while True:
            phase = make()
            self.listener.progress(
                phase=phase.name,
                batch_size=self.batch_size,
                halved_for=self.halved_for,
            )
            phase.changes = self.changes.measure
            try:
                phase.run(epochs, train, val, self.best, self.listener, start)
                return
            except _OUT_OF_MEMORY as error:
                self._halve_batch("memory", error)
            except StepTooSlow as error:
                self._halve_batch("time", error)
            start = phase.kept or start

    def _halve_batch(self, halved_for: str, error: Exception) -> None:
        size = self.batch_size
        if size == 1:
            message = "There was not enough memory, even for one image per step."
            raise _no_memory(message) from error
        self.batch_size, self.halved_for = size // 2, halved_for
        lacked = {"memory": "enough memory", "time": "enough speed to hear a stop"}
        self.listener.log(
            f"There was not {lacked[halved_for]} with {size} images per step: "
            f"{_first_line(error)}. The training goes on with {self.batch_size}."
        )

    def _solve_head(self) -> None:
        """Sets a linear head to its closed form: the start of the head phase.

        On flower_photos ten epochs from here reached 0.897, from random weights 0.885
        (mean of 3 seeds).
        """
        train, weights = self.pooled["train"], self._class_weights()
        solution = closed_form.solve(
            train.features.rows(np.arange(len(train.labels))).astype(np.float32),
            train.labels,
            len(self.revision.class_names),
            None if weights is None else weights[train.labels],
        )
        judged = (
            "too few images to leave one out"
            if np.isnan(solution.loss)
            else f"leave-one-out accuracy {solution.accuracy:.3f}, loss "
            f"{solution.loss:.3f}"
        )
        strength = f"Ridge regression of strength {solution.strength:g}"
        self.listener.log(f"{strength}: {judged}.")
        self.head.get_layer("logits").set_weights([solution.kernel, solution.bias])

    def _recipe(self, anchored: Sequence[keras.Variable] = ()) -> Recipe:
        config = self.config
        return Recipe(
            batch_size=self.batch_size,
            seed=config.seed,
            label_smoothing=config.label_smoothing,
            class_weights=self._class_weights(),
            patience=config.patience,
            l2_sp=config.l2_sp if anchored else 0.0,
            anchored=anchored if config.l2_sp else (),
            anchors=self.anchors if anchored and config.l2_sp else (),
        )

    def _class_weights(self) -> NDArray[np.float32] | None:
        """Inverse to each class's number of training images."""
        if self.config.class_weights == "none":
            return None
        classes = len(self.revision.class_names)
        counts = np.bincount(self.pooled["train"].labels, minlength=classes)
        weights = counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))
        return np.asarray(weights, np.float32)

    def _head_alone(self, features: Any, training: bool) -> Any:
        return self.head(features, training=training)

    def fine_tune(self) -> None:
        """The fine-tuning phase, from the best head on."""
        with self._keeping_best():
            self.begin_fine_tune()
            self._run(self._fine_tune_phase, self.config.fine_tune_epochs, self.at_cut)
        self.restore()

    def begin_fine_tune(self) -> None:
        """Divides the backbone at the cut and notes where the unfrozen layers start."""
        self.suffix = graph.suffix(self.backbone, self.resolved.cut.layer)
        unfrozen = self._unfrozen()
        if self.config.l2_sp:  # here, for the phase may begin anew with a smaller batch
            self.anchors = [tf.identity(v.value) for v in unfrozen]
        # A fine-tuning that never beats the head phase leaves these as they were; one
        # that is resumed may have a better epoch behind it.
        start = {v.path: keras.ops.convert_to_numpy(v).copy() for v in unfrozen}
        self.best.weights = start | self.best.weights

    def try_rate(self, phase: Phase, train: Examples) -> None:
        """Trains until the listener has had enough, then puts the weights back."""
        before = [np.array(keras.ops.convert_to_numpy(v)) for v in phase.variables]
        no_val = Examples(train.features, train.labels[:0])
        phase.most_steps = 1
        try:
            phase.run(_WITHOUT_END, train, no_val, Best(), self.listener)
        except (*_OUT_OF_MEMORY, StepTooSlow) as error:
            raise TrainingError(
                f"There was not enough memory or speed for {self.batch_size} images "
                f"per step: {_first_line(error)}.",
                "Try a smaller batch size.",
            ) from error
        except TrainingError as error:  # so large a rate is what was looked for
            self.listener.log(error.message)
        for variable, value in zip(phase.variables, before, strict=True):
            variable.assign(value)

    def _fine_tune_phase(self, rate: Rate | None = None) -> Phase:
        unfrozen = self._unfrozen()
        steps = -(-len(self.at_cut["train"].labels) // self.batch_size)
        return Phase(
            "fine_tune",
            classifier.forward(self.suffix, self.head),
            [*unfrozen, *self.head.trainable_variables],
            self._optimizer(rate or self._schedule(steps), self._factors()),
            self._recipe(unfrozen),
            self._random(),
        )

    def _schedule(self, steps: int) -> Rate:
        """Up within the first epoch, down along a cosine over all of them.

        Without the way up, unfreezing lost three points of accuracy in its first
        epoch: the head's gradients are largest then.
        """
        return keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0,
            decay_steps=max(1, steps * (self.config.fine_tune_epochs - 1)),
            warmup_target=self.config.fine_tune_learning_rate,
            warmup_steps=steps,
        )

    def _factors(self) -> list[tuple[keras.Variable, float]]:
        """The unfrozen variables, each with the factor on its learning rate."""
        unfrozen = set(self.resolved.trainable_layers)
        blocks = {
            layer.name: depth
            for depth, layers in enumerate(reversed(self.structure.blocks.values()))
            for layer in layers
            if layer.name in unfrozen
        }
        depths = sorted(set(blocks.values()))
        return [
            (variable, self.config.layer_decay ** depths.index(depth))
            for name, depth in blocks.items()
            for variable in self.backbone.get_layer(name).trainable_variables
        ]

    def _unfrozen(self) -> list[keras.Variable]:
        """The backbone's variables that train; never BatchNorm's statistics."""
        layers = [self.backbone.get_layer(n) for n in self.resolved.trainable_layers]
        return [v for layer in layers for v in layer.trainable_variables]

    def restore(self) -> None:
        """Puts the best epoch's weights back into the model."""
        for variable in [*self.backbone.variables, *self.head.variables]:
            if variable.path in self.best.weights:
                variable.assign(self.best.weights[variable.path])

    def finish(self) -> Trained:
        """The whole classifier; frozen layers are marked as such."""
        trained = set(self.resolved.trainable_layers) if self.fine_tunes else set()
        for layer in self.backbone.layers:
            layer.trainable = layer.name in trained
        model = classifier.assembled(self.backbone, self.head)
        in_backbone = self.resolved.trainable_parameters if trained else 0
        # Not all `variables`: the dropout's random state is one of them.
        trainable = in_backbone + sum(
            v.shape.num_elements() for v in self.head.trainable_variables
        )
        return Trained(
            model=model,
            best=self.best,
            batch_size=self.batch_size,
            halved_for=self.halved_for,
            ended_early=self.ended_early,
            trainable_parameters=trainable,
            frozen_parameters=model.count_params() - trainable,
            seconds=self.seconds,
        )


def _no_memory(message: str) -> TrainingError:
    return TrainingError(
        message,
        "Try a smaller image size or backbone, freeze more blocks, or close other "
        "programs.",
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else "no details"


def build_ahead(config: TrainConfig) -> None:
    """Has the backbone ready for a run of these settings.

    Raises:
        BackboneError: There is no such backbone, or it cannot take this size.
        WeightsError: The weights are missing, broken or of another model.
    """
    size = _image_size(config)
    graph.build_ahead(config.backbone, config.weights, size, config.seed)


def _image_size(config: TrainConfig) -> tuple[int, int]:
    size = config.image_size or catalogue.get(config.backbone).native_size
    return (size, size)
