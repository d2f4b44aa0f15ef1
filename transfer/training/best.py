"""The best epoch of a training so far, and how well a model does on some images."""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer.training.snapshot import Snapshot


class Reached(NamedTuple):
    """How well a model does on some images.

    Attributes:
        loss: Mean loss.
        accuracy: Share of right answers.
        balanced_accuracy: Mean of the shares of right answers of the classes.
    """

    loss: float
    accuracy: float
    balanced_accuracy: float


#: On val images of which there are none.
UNKNOWN = Reached(float("nan"), float("nan"), float("nan"))


@dataclass(kw_only=True)
class Best:
    """The best epoch so far on val, by the measure that it follows, then by the loss.

    Epoch 0 of a phase is where it started.

    Attributes:
        follows: Where classes are weighted in the loss, what is kept follows the same
            weights: else always naming the largest class may well look best.
    """

    weights: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    phase: str = ""
    epoch: int = 0
    loss: float = float("inf")
    accuracy: float = -1.0
    balanced_accuracy: float = -1.0
    follows: Literal["accuracy", "balanced_accuracy"] = "accuracy"

    def is_beaten_by(self, reached: Reached) -> bool:
        """Whether another epoch is better; one without a finite loss never is."""
        now, then = getattr(self, self.follows), getattr(reached, self.follows)
        # Of equal accuracies the smaller loss wins: few val images make many ties.
        better = (then, -reached.loss) > (now, -self.loss)
        return better and bool(np.isfinite(reached.loss))

    def state(self) -> dict[str, Any]:
        """All but the weights."""
        names = ("phase", "epoch", *Reached._fields)
        return {name: getattr(self, name) for name in names}

    def where(self) -> dict[str, Any]:
        """Its phase and epoch, as `Listener.progress` hears of them."""
        return {"best_phase": self.phase, "best_epoch": self.epoch}

    def restore(self, snapshot: Snapshot) -> None:
        """Becomes what it was when the snapshot was taken."""
        self.weights = dict(snapshot.best)
        for name, value in snapshot.best_state.items():
            setattr(self, name, value)
