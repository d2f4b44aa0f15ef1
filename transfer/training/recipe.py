"""How the trained parameters move: optimizer, class weights, and what holds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import numpy as np
from numpy.typing import NDArray

from transfer.config import TrainConfig
from transfer.training import optimizers

#: A learning rate by step.
Rate: TypeAlias = keras.optimizers.schedules.LearningRateSchedule

#: A variable, and the value that it is held at.
Anchor = tuple[keras.Variable, Any]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the trained parameters of a phase move.

    Attributes:
        batch_size: Images per step.
        seed: Seed of the order of images.
        label_smoothing: Share of the target that is spread over all classes, 0 to 1.
        class_weights: What an image of each class counts for, float32
            `(num_classes,)`, mean 1 over the training images; `None`: all alike.
        patience: Epochs without a better one after which the phase ends; 0 for never.
        l2_sp: Weight of half the squared distance of `anchors` from their values
            (Li et al. 2018, https://arxiv.org/abs/1802.01483).
        anchors: Variables that are held, each with the value that it is held at.
    """

    batch_size: int
    seed: int
    label_smoothing: float = 0.0
    class_weights: NDArray[np.float32] | None = None
    patience: int = 0
    l2_sp: float = 0.0
    anchors: Sequence[Anchor] = ()


def make(
    config: TrainConfig,
    class_weights: NDArray[np.float32] | None,
    batch_size: int,
    anchors: Sequence[Anchor] = (),
) -> Recipe:
    """The recipe of a phase as the settings say.

    Args:
        config: The settings.
        class_weights: As `class_weights` gives them.
        batch_size: Images per step; smaller than set where memory or speed is short.
        anchors: See `Recipe`.
    """
    return Recipe(
        batch_size=batch_size,
        seed=config.seed,
        label_smoothing=config.label_smoothing,
        class_weights=class_weights,
        patience=config.patience,
        l2_sp=config.l2_sp if anchors else 0.0,
        anchors=anchors,
    )


def optimizer(
    config: TrainConfig, rate: Rate | float, factors: optimizers.Factors = ()
) -> Any:
    """The optimizer of a phase.

    Args:
        config: The settings.
        rate: The learning rate, or one by step.
        factors: Variables, each with the factor on its learning rate.
    """
    return optimizers.make(config.optimizer, rate, factors, config.weight_decay)


def class_weights(
    config: TrainConfig, labels: NDArray[np.int32], num_classes: int
) -> NDArray[np.float32] | None:
    """Inverse to each class's number of training images; `None` for all alike.

    Args:
        config: The settings.
        labels: Of the training images, `(images,)`.
        num_classes: Number of classes, those without a training image included.
    """
    if config.class_weights == "none":
        return None
    counts = np.bincount(labels, minlength=num_classes)
    # A class without images is never looked up; it must not divide by zero either.
    weights = counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return np.asarray(weights, np.float32)
