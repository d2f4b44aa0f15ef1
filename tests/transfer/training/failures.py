"""Lets a training fail where a test wants it to."""

from typing import Any

import numpy as np
import pytest

from transfer.training.phase import Phase


def make_fail(
    monkeypatch: pytest.MonkeyPatch, phase: str, epoch: int, error: str
) -> None:
    """Lets a training fail in this epoch as it fails by itself."""
    train_epoch = Phase._train_epoch

    def fail(self: Phase, now: Any, epochs: int) -> None:
        if (self.name, now.number) == (phase, epoch):
            if error == "memory":
                raise MemoryError
            bias = self.steps.variables[-1]
            bias.assign(np.full(bias.shape, np.nan))
        train_epoch(self, now, epochs)

    monkeypatch.setattr(Phase, "_train_epoch", fail)
