"""A phase that goes on with half the batch where memory or speed is short."""

from collections.abc import Callable

from transfer.training.listener import Listener
from transfer.training.phase import Phase, StepTooSlow
from transfer.training.standing import OUT_OF_MEMORY, Standing, no_memory

#: What a step lacked, by why its batch is halved.
_LACKED = {"memory": "enough memory", "time": "enough speed to hear a stop"}


def run(
    make: Callable[[int], Phase], epochs: int, standing: Standing, listener: Listener
) -> Phase:
    """Runs a phase; where memory or speed is short, on with half the batch.

    Args:
        make: The phase for so many images per step. It is made anew for each size: a
            compiled step, and what the optimizer holds, are of one size.
        epochs: As in `Phase.run`.
        standing: Where the phase starts; its batch size is the one at the end then.
        listener: Hears of a smaller batch.

    Returns:
        The phase as it has ended.

    Raises:
        TrainingError: Memory does not do for one image per step either; or as in
            `Phase.run`.
    """
    start, standing.resume = standing.resume, None
    while True:
        phase = make(standing.batch_size)
        listener.progress(
            phase=phase.name,
            batch_size=standing.batch_size,
            halved_for=standing.halved_for,
        )
        try:
            phase.run(epochs, start)
            return phase
        except OUT_OF_MEMORY as error:
            _halve_batch(standing, "memory", error, listener)
        except StepTooSlow as error:
            _halve_batch(standing, "time", error, listener)
        # What this size has learnt stays; it may have failed before its first step.
        start = phase.kept or start


def _halve_batch(
    standing: Standing, halved_for: str, error: Exception, listener: Listener
) -> None:
    size = standing.batch_size
    # Only memory comes here: a phase with one image a step is never too slow.
    if size == 1:
        message = "There was not enough memory, even for one example per step."
        raise no_memory(message) from error
    standing.batch_size, standing.halved_for = size // 2, halved_for
    listener.log(
        f"There was not {_LACKED[halved_for]} with {size} examples per step: "
        f"{first_line(error)}. The training goes on with {standing.batch_size}."
    )


def first_line(error: Exception) -> str:
    """An error's first line, as part of a sentence: TensorFlow's fill a page."""
    return str(error).splitlines()[0][:200] if str(error) else "no details"
