"""Trains a classifier: the head on a frozen backbone, then the unfrozen layers too."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from transfer import classifier
from transfer.backbones import catalogue, graph
from transfer.callbacks import Listener
from transfer.config import TrainConfig
from transfer.datasets.revision import Revision, Split
from transfer.features import engines
from transfer.features.extract import Features, Prefix, prepared
from transfer.freezing import FreezePlan, Resolved
from transfer.phases import Best, Examples, Phase

#: Raise this when decoding or resizing changes what the model sees: old features are
#: then no longer used.
_GEOMETRY = "stretch-1"


@dataclass(kw_only=True)
class Trained:
    """What a training ends with.

    Attributes:
        model: The whole classifier with the best epoch's weights.
        best: Which epoch that was, and its val loss and accuracy.
        trainable_parameters: Number of weights that were trained.
        frozen_parameters: Number of weights that stayed as they were.
        seconds: Duration by phase: `prepare`, `head`, `fine_tune`, `evaluate`.
    """

    model: keras.Model
    best: Best
    trainable_parameters: int
    frozen_parameters: int
    seconds: dict[str, float]


def train(config: TrainConfig, revision: Revision, listener: Listener) -> Trained:
    """A classifier for the classes of `revision`, trained as `config` says.

    Args:
        config: The settings.
        revision: The images, their classes and splits.
        listener: Hears of progress, and says when to stop.

    Returns:
        The trained classifier. Where a stop was requested, that of the best epoch
        until then.

    Raises:
        StopRequested: The stop was requested before the training proper began.
        TransferError: Backbone, weights, freeze plan or images do not fit.
    """
    keras.utils.set_random_seed(config.seed)
    job = _Job(config, revision, listener)
    with job.timed("prepare"):
        job.prepare()
    with job.timed("head"):
        job.train_head()
    with job.timed("fine_tune"):
        if job.fine_tunes and not listener.stop_requested():
            job.fine_tune()
    with job.timed("evaluate"):
        return job.finish()


@dataclass
class _Job:
    """A training in the making."""

    config: TrainConfig
    revision: Revision
    listener: Listener
    seconds: dict[str, float] = field(default_factory=dict)
    best: Best = field(default_factory=Best)

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Notes how long the block takes, and that the run is in this phase."""
        self.listener.progress(phase=phase)
        start = time.perf_counter()
        yield
        self.seconds[phase] = time.perf_counter() - start

    @property
    def fine_tunes(self) -> bool:
        """Whether anything but the head trains."""
        plan = self.resolved.trainable_layers
        return bool(plan) and self.config.fine_tune_epochs > 0

    def prepare(self) -> None:
        """Builds the backbone and computes the features that both phases need."""
        config = self.config
        backbone = graph.build(
            config.backbone,
            weights=config.weights,
            image_size=_image_size(config),
            seed=config.seed,
        )
        structure = graph.structure(backbone, config.backbone)
        self.resolved: Resolved = FreezePlan.parse(config.freeze).resolve(structure)
        self.backbone = classifier.pooled(backbone)
        self.head = classifier.head(
            config.head,
            self.backbone.output_shape[-1],
            len(self.revision.class_names),
            config.seed,
        )
        self.pooled = self._features(self.backbone, "pooling")
        if self.fine_tunes:
            self.at_cut = self._features(
                graph.prefix(self.backbone, self.resolved.cut.layer),
                self.resolved.cut.layer,
            )

    def _features(self, prefix: keras.Model, layer: str) -> dict[Split, Examples]:
        """Features and labels of train and val at the output of `prefix`."""
        ready = _ready(prefix, f"{self.config.backbone}-{layer}", self.listener)
        return {split: self._examples(ready, split) for split in ("train", "val")}

    def _examples(self, prefix: Prefix, split: Split) -> Examples:
        images = self.revision.of_split(split)

        def progress(done: int, of: int) -> None:
            self.listener.progress(phase="prepare", step=done, steps=of)
            self.listener.check_stop()

        features: Features = prepared(
            prefix, [image.sha256 for image in images], progress, self.listener.log
        )
        return Examples(features, np.array([i.label for i in images], np.int32))

    def train_head(self) -> None:
        """The head phase."""
        Phase(
            "head",
            self._head_alone,
            self.head.trainable_variables,
            keras.optimizers.Adam(self.config.learning_rate),
            self.config.batch_size,
            self.config.seed,
        ).run(
            self.config.head_epochs,
            self.pooled["train"],
            self.pooled["val"],
            self.best,
            self.listener,
        )
        self._restore()

    def _head_alone(self, features: Any, training: bool) -> Any:
        return self.head(features, training=training)

    def fine_tune(self) -> None:
        """The fine-tuning phase, from the best head on."""
        suffix = graph.suffix(self.backbone, self.resolved.cut.layer)
        unfrozen = self._unfrozen()
        # A fine-tuning that never beats the head phase leaves these as they were.
        self.best.weights |= {
            v.path: keras.ops.convert_to_numpy(v).copy() for v in unfrozen
        }
        steps = -(-len(self.at_cut["train"].labels) // self.config.batch_size)
        Phase(
            "fine_tune",
            classifier.forward(suffix, self.head),
            [*unfrozen, *self.head.trainable_variables],
            keras.optimizers.Adam(self._schedule(steps)),
            self.config.batch_size,
            self.config.seed,
        ).run(
            self.config.fine_tune_epochs,
            self.at_cut["train"],
            self.at_cut["val"],
            self.best,
            self.listener,
        )
        self._restore()

    def _schedule(self, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
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

    def _unfrozen(self) -> list[keras.Variable]:
        """The backbone's variables that train; never BatchNorm's statistics."""
        layers = [self.backbone.get_layer(n) for n in self.resolved.trainable_layers]
        return [v for layer in layers for v in layer.trainable_variables]

    def _restore(self) -> None:
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
        trainable = in_backbone + sum(
            v.shape.num_elements() for v in self.head.variables
        )
        return Trained(
            model=model,
            best=self.best,
            trainable_parameters=trainable,
            frozen_parameters=model.count_params() - trainable,
            seconds=self.seconds,
        )


def _image_size(config: TrainConfig) -> tuple[int, int]:
    size = config.image_size or catalogue.get(config.backbone).native_size
    return (size, size)


def _ready(prefix: keras.Model, name: str, listener: Listener) -> Prefix:
    """The prefix with the engine that runs it; pixels need none."""
    height, width = prefix.input_shape[1:3]
    if not prefix.weights:
        return Prefix(
            f"pixels-{height}x{width}-{_GEOMETRY}",
            (height, width),
            prefix.output_shape[1:],
            None,
        )
    content = f"{name} {height}x{width} {_GEOMETRY} {graph.fingerprint(prefix)}"
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    key = f"{name}-{digest}"
    engine = engines.choose(prefix, key, listener.log)
    return Prefix(key, (height, width), prefix.output_shape[1:], engine)
