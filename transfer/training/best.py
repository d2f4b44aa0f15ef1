"""The best epoch of a training so far, and how well a model does on some images."""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer.training.blends import Weights
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
        most_loss: What is kept has no larger loss, however accurate: on few val images
            one more right answer is luck, and the loss tells. In the fine-tuning phase
            this is the loss that the head has ended with.
        blend: What of the phase's start is in its weights, in words; empty for those of
            the epoch itself.
    """

    weights: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    phase: str = ""
    epoch: int = 0
    loss: float = float("inf")
    accuracy: float = -1.0
    balanced_accuracy: float = -1.0
    follows: Literal["accuracy", "balanced_accuracy"] = "accuracy"
    most_loss: float = float("inf")
    blend: str = ""

    def is_beaten_by(self, reached: Reached) -> bool:
        """Whether another epoch is better; one without a finite loss never is."""
        now, then = getattr(self, self.follows), getattr(reached, self.follows)
        # Of equal accuracies the smaller loss wins: few val images make many ties.
        better = (then, -reached.loss) > (now, -self.loss)
        likely = np.isfinite(reached.loss) and reached.loss <= self.most_loss
        return better and bool(likely)

    def keep(
        self,
        weights: Weights,
        phase: str,
        epoch: int,
        reached: Reached,
        blend: str = "",
    ) -> None:
        """Becomes this epoch of a phase; its other weights stay."""
        self.weights |= weights
        self.phase, self.epoch, self.blend = phase, epoch, blend
        self.loss, self.accuracy, self.balanced_accuracy = reached

    def state(self) -> dict[str, Any]:
        """All but the weights."""
        names = ("phase", "epoch", "most_loss", "blend", *Reached._fields)
        return {name: getattr(self, name) for name in names}

    def where(self) -> dict[str, Any]:
        """Which epoch it is, as `Listener.progress` hears of it."""
        names = ("phase", "epoch", "blend")
        return {f"best_{name}": getattr(self, name) for name in names}

    def restore(self, snapshot: Snapshot) -> None:
        """Becomes what it was when the snapshot was taken."""
        self.weights = dict(snapshot.best)
        for name, value in snapshot.best_state.items():
            setattr(self, name, value)
