"""The best epoch of a training so far, and how well a model does on some images."""

from collections.abc import Sequence
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


def losses_of(
    probabilities: NDArray[np.float32], labels: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Each image's cross-entropy, in nats, float32 `(images,)`.

    Args:
        probabilities: `(images, num_classes)`.
        labels: Label index of each image.
    """
    own = probabilities[np.arange(len(labels)), labels]
    # Of a probability of 0 in float32 that of the smallest number.
    return -np.log(np.maximum(own, np.finfo(np.float32).tiny))


#: Standard errors by which a fine-tuning must be better than the head. With 0 two
#: classes of 24 val images each lost 2.3 points of test accuracy on average, with 1
#: others lost what they had gained; see `tests.benchmarks.fine_tuning`.
_CLEAR = 0.5

#: On val images of which there are none.
UNKNOWN = Reached(float("nan"), float("nan"), float("nan"))


@dataclass(kw_only=True)
class Best:
    """The best epoch so far on val, by the measure that it follows, then by the loss.

    Epoch 0 of a phase is where it started.

    Attributes:
        follows: Where classes are weighted in the loss, what is kept follows the same
            weights: else always naming the largest class may well look best.
        bar: In the fine-tuning phase the loss of each val image with the head. What is
            kept has a smaller one, by more than some standard errors and however
            accurate: on few val images one more right answer is luck.
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
    bar: Sequence[float] = ()
    blend: str = ""

    def is_beaten_by(
        self, reached: Reached, losses: NDArray[np.float32] | None = None
    ) -> bool:
        """Whether another epoch is better; one without a finite loss never is.

        Args:
            reached: How well it does on val.
            losses: Its loss of each val image; where there is a bar.
        """
        now, then = getattr(self, self.follows), getattr(reached, self.follows)
        # Of equal accuracies the smaller loss wins: few val images make many ties.
        better = (then, -reached.loss) > (now, -self.loss)
        is_sure = losses is None or self._is_clear_of_bar(losses)
        return better and bool(np.isfinite(reached.loss)) and is_sure

    def _is_clear_of_bar(self, losses: NDArray[np.float32]) -> bool:
        if not len(self.bar):
            return True
        gains = np.asarray(self.bar) - losses
        return bool(gains.mean() > _CLEAR * gains.std() / np.sqrt(len(gains)))

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
        names = ("phase", "epoch", "bar", "blend", *Reached._fields)
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
