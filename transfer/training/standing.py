"""How far a training is, between its phases: its best, its batches, its time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import tensorflow as tf

from transfer.config import TrainConfig
from transfer.errors import TrainingError, TransferError
from transfer.store import outcome
from transfer.store.outcome import PHASES
from transfer.training.best import Best
from transfer.training.listener import Listener
from transfer.training.snapshot import Snapshot

#: What Python and TensorFlow raise where memory is short.
OUT_OF_MEMORY = (MemoryError, tf.errors.ResourceExhaustedError)


@dataclass(kw_only=True)
class Standing:
    """What one phase leaves to the next.

    Attributes:
        best: The best epoch until now.
        batch_size: Images per step from here on: smaller than set where it was halved.
        halved_for: Why it is: `memory`, `time` or, where there are no more training
            images, `images`; empty if it is not.
        ended_early: What ended the training before its time, and what was kept;
            empty if nothing did.
        resume: Where an earlier training ended, until the phase has gone on from it.
        leave_one_out_accuracy: Of the head in closed form that the head phase starts
            from, in [0, 1]; None where it starts from another, or none was left out.
        seconds: Duration by phase.
    """

    best: Best = field(default_factory=Best)
    batch_size: int
    halved_for: str = ""
    ended_early: str = ""
    resume: Snapshot | None = None
    leave_one_out_accuracy: float | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def at_start(
        cls, config: TrainConfig, images: int, resume: Snapshot | None = None
    ) -> "Standing":
        """Where a training begins, or goes on.

        Args:
            config: The settings.
            images: Number of training images.
            resume: Where an earlier training of the same settings ended.
        """
        size = min(config.batch_size, max(1, images))
        new = cls(
            batch_size=size,
            halved_for="images" if size < config.batch_size else "",
            resume=resume,
        )
        # What is kept is chosen by what the loss was made to follow.
        if config.class_weights != "none":
            new.best.follows = "balanced_accuracy"
        if resume:
            # Where memory or speed did not do for more, they will not do now.
            new.batch_size = min(size, resume.batch_size)
            new.best.restore(resume)
        return new

    @contextmanager
    def time_phase(self, phase: str, listener: Listener) -> Iterator[None]:
        """Notes how long the block takes, and tells that the run is in this phase."""
        listener.progress(phase=phase, **self.best.where())
        start = time.perf_counter()
        yield
        self.seconds[phase] = time.perf_counter() - start

    @contextmanager
    def keep_best(self, config: TrainConfig, listener: Listener) -> Iterator[None]:
        """Ends the training early where it fails, if there is a good model already."""
        try:
            yield
        except (TransferError, *OUT_OF_MEMORY) as error:
            # Better a model of fewer epochs, which is said, than none after an hour.
            if not self._has_learnt(config):
                raise
            self.ended_early = self._in_words(error, config)
            listener.log(f"The training ends early. {self.ended_early}")

    def _has_learnt(self, config: TrainConfig) -> bool:
        """Whether the best until now is more than a head of random numbers."""
        best = self.best
        from_model = bool(config.start_from) or config.head == "linear"
        return (
            bool(best.epoch)
            or best.phase == "fine_tune"
            or (best.phase == "head" and from_model)
        )

    def _in_words(self, error: Exception, config: TrainConfig) -> str:
        """What ended the training early, what is kept, and what to try."""
        if not isinstance(error, TransferError):
            error = no_memory("There was not enough memory.")
        epoch, phase = self.best.epoch, PHASES[self.best.phase]
        start = outcome.start(config)
        kept = f"epoch {epoch} of the {phase} phase" if epoch else start
        words = f"{error.message} Kept is the best until then: {kept}. {error.hint}"
        return words.strip()


def no_memory(message: str) -> TrainingError:
    """The error of a training for which memory does not do, with what to try."""
    return TrainingError(
        message,
        "Try a smaller input size or backbone, freeze more blocks, or close other "
        "programs.",
    )
