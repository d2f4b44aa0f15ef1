"""Short trainings that compare: freeze depths, and learning rates."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import keras

from transfer.backbones.freezing import FreezePlan, Resolved
from transfer.backbones.structure import Structure
from transfer.config import TrainConfig
from transfer.datasets.revision import Revision
from transfer.errors import TrainingError
from transfer.training import examples, fine_tune, head
from transfer.training.best import Best
from transfer.training.examples import BySplit, Examples
from transfer.training.listener import Listener
from transfer.training.network import Network
from transfer.training.phase import Phase, StepTooSlow
from transfer.training.smaller_batches import first_line
from transfer.training.standing import OUT_OF_MEMORY, Standing
from transfer.training.steps import value

#: Epochs of a phase that its listener ends.
_WITHOUT_END = 1000


class AtDepth(NamedTuple):
    """What a training of one freeze plan came to.

    Attributes:
        resolved: What the plan is in the backbone.
        best: Its best epoch.
        trainable_parameters: Number of weights that were trained, the head's included.
        seconds: That the plan took, the shared head phase included.
    """

    resolved: Resolved
    best: Best
    trainable_parameters: int
    seconds: float


def train_depths(
    config: TrainConfig,
    revision: Revision,
    plans: Callable[[Structure], Sequence[FreezePlan]],
    listener: Listener,
) -> Iterator[AtDepth]:
    """Trainings that differ in their freeze plan alone, one by one.

    They share the backbone, one pass for all features, and the head phase, from whose
    end each goes on; what is left of each is its own fine-tuning.

    Args:
        config: The settings; its freeze plan is passed over.
        revision: The images, their classes and splits.
        plans: Gives the freeze plans for the backbone's structure.
        listener: Hears of progress, and says when to stop.

    Raises:
        StopRequested: The stop was requested before the training proper began.
        TransferError: Backbone, weights, freeze plan or images do not fit.
    """
    keras.utils.set_random_seed(config.seed)
    standing = Standing.at_start(config, len(revision.of_split("train")))
    network = Network.build(config, revision.class_names)
    structure = network.resolved.structure
    resolved = [plan.resolve(structure) for plan in plans(structure)]
    cuts = [one.cut.layer for one in resolved if one.trainable_layers]
    at = examples.compute(network, ["pooling", *cuts], config, revision, listener)
    start = time.perf_counter()
    head.run(network, at["pooling"], config, standing, listener)
    head_best, head_seconds = standing.best, time.perf_counter() - start
    # Each depth starts from these: the one before it has moved what it had unfrozen.
    fresh = {v.path: value(v) for v in network.backbone.variables}
    for one in resolved:
        start = time.perf_counter()
        network = replace(network, resolved=one)
        standing.best = replace(head_best, weights=fresh | head_best.weights)
        network.restore(standing.best)
        if fine_tune.is_wanted(network, config):
            fine_tune.run(network, at[one.cut.layer], config, standing, listener)
        seconds = head_seconds + time.perf_counter() - start
        trained = one.trainable_parameters + network.head.count_params()
        yield AtDepth(one, standing.best, trained, seconds)


def try_rates(
    config: TrainConfig,
    revision: Revision,
    grown: tuple[float, float],
    listener: Listener,
) -> Iterator[str]:
    """Range tests of the phases that a run of these settings has, one by one.

    The head is tried from where its phase starts, the unfrozen layers from where a
    head phase ends. What a test has done to the weights is undone.

    Args:
        config: The settings, of the method `train`.
        revision: The images, their classes and splits.
        grown: The first learning rate, and by what it is multiplied at each step.
        listener: Hears of the steps of the tests, and ends each by a stop.

    Yields:
        The name of a phase whose test has ended.

    Raises:
        TrainingError: Memory or speed does not do for the batch size.
        TransferError: Backbone, weights, freeze plan or images do not fit.
    """
    keras.utils.set_random_seed(config.seed)
    first, factor = grown
    rate = keras.optimizers.schedules.ExponentialDecay(first, 1, factor)
    standing = Standing.at_start(config, len(revision.of_split("train")))
    network = Network.build(config, revision.class_names)
    fine_tunes = fine_tune.is_wanted(network, config)
    cut = network.resolved.cut.layer if fine_tunes else "pooling"
    at = examples.compute(network, ["pooling", cut], config, revision, listener)
    pooled, size = at["pooling"], standing.batch_size
    head.set_start(network, pooled, config, listener)
    tried = head.phase(
        network, _without_val(pooled), config, size, Best(), listener, rate
    )
    _try_rate(tried, listener)
    yield "head"
    if fine_tunes:
        # Heard by nobody, for its steps are no part of a test.
        head.run(network, pooled, config, standing, Listener())
        make = fine_tune.phases(
            network, _without_val(at[cut]), config, Best(), listener, rate
        )
        _try_rate(make(standing.batch_size), listener)
        yield "fine_tune"


def _without_val(of: BySplit) -> BySplit:
    """A test looks at the losses of its steps alone, so it need not judge val."""
    train = of["train"]
    return {"train": train, "val": Examples(train.features, train.labels[:0])}


def _try_rate(phase: Phase, listener: Listener) -> None:
    """Trains until the listener has had enough, then puts the weights back."""
    variables = phase.steps.variables
    before = [value(v) for v in variables]
    # One look at whether to stop after each, for the rate grows with each.
    phase.steps.most_per_call = 1
    try:
        phase.run(_WITHOUT_END)
    except (*OUT_OF_MEMORY, StepTooSlow) as error:
        raise TrainingError(
            f"There was not enough memory or speed for {phase.steps.recipe.batch_size} "
            f"examples per step: {first_line(error)}.",
            "Try a smaller batch size.",
        ) from error
    except TrainingError as error:  # so large a rate is what was looked for
        listener.log(error.message)
    for variable, start in zip(variables, before, strict=True):
        variable.assign(start)
