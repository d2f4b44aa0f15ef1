"""Learning rates: what a range test found in a phase, and what to take, without Keras.

A range test (Smith 2017, https://arxiv.org/abs/1506.01186) trains for some steps while
the rate grows by the same factor at each, until the loss rises without doubt.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transfer.config import TrainConfig, options
from transfer.errors import ConfigError, TrainingError
from transfer.runs.requests import Request

#: The rates that are tried: as many as there are steps, each so much larger.
LOWEST, HIGHEST, STEPS = 1e-5, 1.0, 100
GROWTH = (HIGHEST / LOWEST) ** (1 / (STEPS - 1))
#: Share of the past in the smoothed loss; the mean of fewer steps than these is noise.
_PAST, _FEW = 0.9, 10
#: The loss has risen when it is higher by this share of what guessing costs.
_RISEN = 0.2
#: The setting of each phase.
SETTINGS = {"head": "learning_rate", "fine_tune": "fine_tune_learning_rate"}
#: Settings that make no difference to what is found; they have their defaults.
PASSED_OVER = (
    *("head_epochs", "fine_tune_epochs", "learning_rate", "fine_tune_learning_rate"),
    *("patience", "augmentation", "views", "start_from"),
)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Loss by learning rate, of one phase.

    Attributes:
        phase: `head` or `fine_tune`.
        rates: The rates that were tried, growing.
        losses: Loss of the step at each rate, smoothed.
        suggested: The rate to take.
    """

    phase: str
    rates: Sequence[float]
    losses: Sequence[float]
    suggested: float


def relevant(config: TrainConfig) -> TrainConfig:
    """The settings with defaults for all that makes no difference here.

    Raises:
        ConfigError: The head is not trained in steps.
    """
    if config.method != "train":
        raise ConfigError(
            f"The method `{config.method}` has no learning rate.",
            "Choose the method `train`.",
        )
    fields = TrainConfig.model_fields
    return config.model_copy(
        update={name: fields[name].default for name in PASSED_OVER}
    )


def curve(phase: str, losses: Sequence[float], num_classes: int) -> Curve:
    """What the losses of a test's steps tell.

    Args:
        phase: `head` or `fine_tune`.
        losses: Of each step, unsmoothed.
        num_classes: Number of classes; guessing costs its logarithm.

    Raises:
        TrainingError: There are too few of them: the loss was no number early on.
    """
    smooth = _smooth(losses)
    if not len(smooth):
        raise TrainingError(
            f"After {len(losses)} steps of the {phase} phase the loss was no number, "
            f"at a learning rate of {LOWEST * GROWTH ** len(losses):.1g}.",
            "Start from pretrained weights, or freeze more blocks.",
        )
    tried = [LOWEST * GROWTH ** (_FEW + step) for step in range(len(smooth))]
    return Curve(
        phase=phase,
        rates=tried,
        losses=[float(loss) for loss in smooth],
        suggested=_suggestion(tried, smooth, math.log(num_classes)),
    )


def _suggestion(
    tried: Sequence[float], smooth: NDArray[np.float64], guessing: float
) -> float:
    """The rate to take, in one digit.

    Where the loss falls by half, a tenth of the rate at which it is least. Otherwise
    the phase starts close to its goal, as from a closed form, and a test can only tell
    what is too much: it is a third of the rate at which the loss has risen. Against
    what guessing costs, not against its start: that is small where the head knows the
    training images by heart.
    """
    start, least = smooth[:_FEW].mean(), int(np.argmin(smooth))
    if smooth[least] < start / 2:
        return float(f"{tried[least] / 10:.1g}")
    risen = np.flatnonzero(smooth > start + _RISEN * guessing)
    edge = int(risen[0]) if len(risen) else -1
    return float(f"{tried[edge] / 3:.1g}")


def has_diverged(losses: Sequence[float], num_classes: int) -> bool:
    """Whether the loss has risen so far that larger rates need not be tried."""
    smooth = _smooth(losses)
    return len(smooth) > 0 and bool(smooth[-1] > smooth.min() + math.log(num_classes))


def _smooth(losses: Sequence[float]) -> NDArray[np.float64]:
    """Exponential mean of the losses, without its first few values."""
    means, mean = [], 0.0
    for count, loss in enumerate(losses, 1):
        mean = _PAST * mean + (1 - _PAST) * loss
        means.append(mean / (1 - _PAST**count))  # without the pull of its start at zero
    return np.array(means[_FEW:])


def request(config: TrainConfig) -> Request:
    """A test of the learning rates for these settings.

    Raises:
        ConfigError: The head is not trained in steps.
    """
    # What was found before there was another resizing is still of stretched pictures.
    unsaid = {"resizing"} if config.resizing == "stretch" else set()
    content = relevant(config).model_dump_json(exclude=unsaid).encode()
    subject = f"{config.revision}-{hashlib.sha256(content).hexdigest()[:12]}"
    words = options(relevant(config).model_dump(exclude=set(PASSED_OVER)))
    return Request("rates", subject, ("learning-rate", *words), config.dataset)
