"""Blends of weights: between where a phase started and what it came to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer.training.snapshot import Snapshot

Weights = Mapping[str, NDArray[np.float32]]

#: Shares of the way from the start.
_SHARES = (0.25, 0.5, 0.75, 1.0)


@dataclass(kw_only=True)
class Trail:
    """Where a phase started, and the mean of where its epochs have ended.

    Attributes:
        start: Weights by path; empty where nothing is to be blended.
        mean: The mean.
        epochs: Number of epochs that it is of.
    """

    start: Weights = field(default_factory=dict)
    mean: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    epochs: int = 0

    def add(self, weights: Weights) -> None:
        """Counts the end of an epoch."""
        self.epochs += 1
        for path in self.start:
            mean = self.mean.get(path, np.zeros_like(weights[path]))
            self.mean[path] = mean + (weights[path] - mean) / np.float32(self.epochs)

    def blends(self, end: Weights) -> Iterator[tuple[str, Weights]]:
        """What to try at the end of the phase, each with what it is in words.

        Between the start and the end lie weights that name new images better than
        both (Wortsman et al. 2022, https://arxiv.org/abs/2109.01903), and so does the
        mean along the way (Izmailov et al. 2018, https://arxiv.org/abs/1803.05407).
        """
        goals = (end, "the last epoch"), (self.mean, "the mean of all epochs")
        # Without an epoch there is no mean.
        for goal, name in goals if self.mean else ():
            for share in _SHARES:
                if goal is end and share == 1:  # that epoch is judged already
                    continue
                weights = {
                    path: start + np.float32(share) * (goal[path] - start)
                    for path, start in self.start.items()
                }
                yield f"{share:.0%} of the way from the head phase to {name}", weights

    def restore(self, snapshot: Snapshot) -> None:
        """Becomes what it was when the snapshot was taken."""
        self.start, self.mean = snapshot.start, dict(snapshot.mean)
        self.epochs = snapshot.epoch

    def state(self) -> dict[str, Any]:
        """All of it, copied; parts of a `Snapshot`."""
        return {"start": dict(self.start), "mean": dict(self.mean)}
