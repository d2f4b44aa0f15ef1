"""Tries learning rates: some steps of each phase while the rate grows."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer.advice import probes, rates
from transfer.advice.rates import Curve
from transfer.config import TrainConfig
from transfer.datasets.revision import Revision
from transfer.training import trials
from transfer.training.listener import Listener

Progress = Callable[..., None]


def find(
    config: TrainConfig, revision: Revision, progress: Progress
) -> Iterator[Curve]:
    """The curve of each phase that a run of these settings has, one by one.

    Args:
        config: The settings, as `rates.relevant` gives them.
        revision: The dataset; no more of its training images are looked at than the
            steps need.
        progress: Called with `phase`, and `step` and `steps` where there are some.

    Raises:
        TrainingError: Memory or speed does not do for the batch size.
        TransferError: Backbone, weights, freeze plan or images do not fit.
    """
    classes = len(revision.class_names)
    small = subset(revision, rates.STEPS * config.batch_size)
    heard = _Test(progress, classes)
    grown = rates.LOWEST, rates.GROWTH
    for phase in trials.try_rates(config, small, grown, heard):
        yield rates.curve(phase, heard.losses, classes)
        heard.losses = []  # the next phase's test begins


def subset(revision: Revision, most: int) -> Revision:
    """The revision with at most so many of its training images, and all of val.

    Val chooses the epoch that a head phase ends with, and so where the next starts.
    """
    train, val = revision.of_split("train"), revision.of_split("val")
    labels = np.array([image.label for image in train], np.int32)
    chosen = probes.stratified_sample(labels, most, revision.seed)
    return replace(revision, images=(*(train[i] for i in chosen), *val))


class _Test(Listener):
    """Keeps the losses of a test, and ends it."""

    def __init__(self, progress: Progress, num_classes: int) -> None:
        self._progress, self._num_classes = progress, num_classes
        self.losses: list[float] = []

    def progress(self, **values: Any) -> None:
        """See `Listener.progress`; epochs are counted as steps of one test."""
        # The images of a test are few, so that it may take several epochs of them.
        if values["phase"] != "prepare":
            values = {"phase": values["phase"], "step": len(self.losses)}
            values["steps"] = rates.STEPS
        self._progress(**values)

    def steps(
        self,
        phase: str,
        epoch: int,
        first_step: int,
        losses: NDArray[np.float32],
        accuracies: NDArray[np.float32],
    ) -> None:
        """See `Listener.steps`."""
        self.losses += map(float, losses)

    def stop_requested(self) -> bool:
        """See `Listener.stop_requested`."""
        enough = len(self.losses) >= rates.STEPS
        return enough or rates.has_diverged(self.losses, self._num_classes)
