"""What a run will take, told before it starts: way, time, disk and memory."""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from transfer import workspace
from transfer.backbones import catalogue, structures
from transfer.backbones.freezing import FreezePlan, Resolved
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.errors import TransferError
from transfer.features import cache, speeds
from transfer.store.record import RUN, Run
from transfer.store.runs import Store

#: Multiplications per second of Keras where nothing was measured yet, and how much
#: faster OpenVINO is. Seen on 2 cores: 13e9 to 100e9, and 1.5 to 4 times.
_KERAS_SPEED, _ENGINE_GAIN = 30e9, 2.5
#: Seconds to import Keras, to convert a prefix, and to decode one picture.
_IMPORT, _CONVERT, _DECODE = 4.0, 6.0, 1e-3
#: A training step against a forward pass: seen on late layers of MobileNetV2.
_BACKWARD = 2.0
#: Seconds that one image of a head epoch takes.
_HEAD_STEP = 4e-5
#: Bytes of a worker before it has loaded a model.
_WORKER_BYTES = 900e6
#: Runs that ended last, from which the time of the next one is learnt.
_LEARN_FROM = 20
#: What they can make of an estimate: one odd run shall not spoil the next one.
_FACTORS = 0.25, 4.0


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a run will take.

    Attributes:
        seconds: Time of the whole run.
        epoch_seconds: Time of one epoch of its last phase.
        disk_bytes: Features that will be kept, those that are kept already included.
        memory_bytes: Peak memory of the worker.
        why: The way that the run takes and the reason, in one sentence.
        measured: Whether the backbone's speed was measured on this machine.
    """

    seconds: float
    epoch_seconds: float
    disk_bytes: int
    memory_bytes: int
    why: str
    measured: bool


def learn_factors(store: Store) -> Callable[[TrainConfig], float]:
    """Tells how many times as long as estimated a run of some settings takes here.

    By the last runs of this backbone on this dataset, whose features may be kept; else
    by the last ones of the backbone, or by the last of all.
    """
    ratios: dict[tuple[str, ...], list[float]] = {}
    for run in store.whole().last_ended(RUN, _LEARN_FROM):
        took = run.result.get("seconds", {}).get("total")
        if isinstance(run, Run) and took and (told := duration(run.config)):
            for key in _alike(run.config):
                ratios.setdefault(key, []).append(took / told)

    def factor(config: TrainConfig) -> float:
        known = (ratios[key] for key in _alike(config) if key in ratios)
        low, high = _FACTORS
        return min(max(statistics.median(next(known, [1.0])), low), high)

    return factor


def _alike(config: TrainConfig) -> tuple[tuple[str, ...], ...]:
    """By what runs are taken for alike, the closest first."""
    return (config.backbone, config.dataset), (config.backbone,), ()


def duration(config: TrainConfig) -> float | None:
    """Seconds that a run of these settings takes, if its dataset is here."""
    told = _estimate_for(config)
    return told.seconds if told else None


def memory(config: TrainConfig) -> float | None:
    """Bytes of memory that a run of these settings takes, if its dataset is here."""
    told = _estimate_for(config)
    return told.memory_bytes if told else None


def _estimate_for(config: TrainConfig) -> Estimate | None:
    try:
        size = config.image_size or catalogue.get(config.backbone).native_size
        rates = speeds.told_rates(config.backbone, (size, size))
        return _estimate(config, tuple(sorted(rates.items())))
    except TransferError:
        return None


@lru_cache(maxsize=256)
def _estimate(config: TrainConfig, _: tuple[tuple[str, float], ...]) -> Estimate:
    """As `_estimate_for`; what was measured may change, and so is part of the key."""
    structure = structures.read(config.backbone, config.image_size)
    revision = library.load(config.dataset, config.revision)
    images = len(revision.of_split("train")), len(revision.of_split("val"))
    resolved = FreezePlan.parse(config.freeze).resolve(structure)
    return estimate(config, resolved, images)


def estimate(
    config: TrainConfig,
    resolved: Resolved,
    images: tuple[int, int],
    factor: float = 1.0,
) -> Estimate:
    """What this run will take on this machine.

    Args:
        config: Its settings.
        resolved: Its freeze plan, on the backbone at the run's image size.
        images: Number of training images and of val images.
        factor: How many times as long as estimated a run takes, see `learn_factors`.
    """
    told = _Sum(config, resolved, images).estimate()
    seconds, of_epoch = told.seconds * factor, told.epoch_seconds * factor
    return replace(told, seconds=seconds, epoch_seconds=of_epoch)


class _Sum:
    def __init__(
        self, config: TrainConfig, resolved: Resolved, images: tuple[int, int]
    ) -> None:
        self.config, self.resolved = config, resolved
        self.structure = structure = resolved.structure
        self.train, self.val = images
        trains = bool(resolved.trainable_layers) and config.fine_tune_epochs > 0
        self.epochs = config.fine_tune_epochs if trains else 0
        above = structure.layers[resolved.cut.index + 1 :]
        self.total = sum(layer.multiply_adds for layer in structure.layers) or 1
        self.suffix = sum(layer.multiply_adds for layer in above) if trains else 0
        self.is_pixels = trains and resolved.cut.index == 0
        self._measure()

    def _measure(self) -> None:
        """Multiplications per second of Keras and of the fastest engine."""
        rates = speeds.told_rates(self.config.backbone, self.structure.image_size)
        self.measured = bool(rates)
        self.keras, self.engine = _KERAS_SPEED, _KERAS_SPEED * _ENGINE_GAIN
        if rates:
            self.keras = rates["keras"] * self.total
            self.engine = max(rates.values()) * self.total

    def estimate(self) -> Estimate:
        config, views = self.config, self._views()
        cut = math.prod(self.resolved.cut.shape) * (1 if self.is_pixels else 4)
        kept = 1 if self.is_pixels else views
        at_cut = cut * (self.train * kept + self.val) if self.epochs else 0
        room = cache.room()
        keeps = at_cut <= room and (views > 0 or self.is_pixels)
        channels = self.structure.cuts[-1].shape[-1]
        disk = 4 * channels * (self.train * views + self.val) + keeps * at_cut
        passes = self.train * max(views, 1) + self.val
        seconds = _IMPORT + _CONVERT + passes * self._image()
        seconds += (config.method == "train") * config.head_epochs * self._head()
        epoch = self._fine_tune_epoch(keeps) if self.epochs else self._head()
        seconds += self.epochs * epoch
        return Estimate(
            seconds=seconds,
            epoch_seconds=epoch,
            disk_bytes=int(disk),
            memory_bytes=self._memory(disk),
            why=self._why(keeps, at_cut, room),
            measured=self.measured,
        )

    def _views(self) -> int:
        return self.config.views if self.config.augmentations else 1

    def _image(self) -> float:
        """Seconds to decode an image and run the whole backbone on it once."""
        return _DECODE + self.total / self.engine

    def _head(self) -> float:
        again = 0.0 if self._views() else self.train * self._image()
        return self.train * _HEAD_STEP + again

    def _fine_tune_epoch(self, keeps: bool) -> float:
        steps = (self.train * _BACKWARD + self.val) * self.suffix / self.keras
        prefix = _DECODE + (self.total - self.suffix) / self.engine
        again = 0.0 if keeps else (self.train + self.val) * prefix
        return steps + again

    def _memory(self, disk: float) -> int:
        parameters = sum(layer.parameters for layer in self.structure.layers)
        trained = self.resolved.trainable_parameters if self.epochs else 0
        # Twice to convert the backbone; values, gradients and two moments to train. A
        # copy of values and moments is kept to go on from, one of the best values, and
        # all of these once more while they are written: 16 + 16 bytes, as measured.
        held = 8 * parameters + (16 + 16 + 16) * trained
        batch = min(self.config.batch_size, self.train)
        activations = batch * self.suffix / self.total * 60e6
        return int(_WORKER_BYTES + held + activations + min(disk, 500e6))

    def _why(self, keeps: bool, needed: int, room: int) -> str:
        layer = self.resolved.cut.layer
        if not self.epochs:
            return "All frozen: the backbone runs once, then the head trains."
        if self.is_pixels:
            return "Everything trains, so each epoch starts from the beginning."
        if keeps:
            return f"The part up to {layer} runs once, and its output is kept."
        if not self._views():
            return "Each epoch makes new views, so each starts from the beginning."
        return (
            f"Each epoch starts from the beginning: the output of {layer} would take "
            f"{workspace.amount(needed)}, and there is room for "
            f"{workspace.amount(room)}."
        )
