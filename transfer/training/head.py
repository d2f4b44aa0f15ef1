"""The head phase: a head on a frozen backbone, from pooled features."""

from typing import Any

import numpy as np

from transfer.backbones import catalogue, source_head
from transfer.classifier import closed_form
from transfer.config import TrainConfig
from transfer.training import recipe, smaller_batches
from transfer.training.best import Best
from transfer.training.examples import BySplit
from transfer.training.listener import Listener
from transfer.training.network import Network
from transfer.training.phase import Phase
from transfer.training.recipe import Rate
from transfer.training.standing import Standing
from transfer.training.steps import Steps


def run(
    network: Network,
    examples: BySplit,
    config: TrainConfig,
    standing: Standing,
    listener: Listener,
) -> None:
    """The head phase, or what stands in for it.

    Args:
        network: Its head trains; the best epoch's weights are in it then.
        examples: Of the pooling layer.
        config: The settings.
        standing: Takes what comes of it.
        listener: Hears of it.

    Raises:
        TrainingError: It failed before there was a good model.
    """
    if standing.resume and standing.resume.phase == "fine_tune":
        listener.log("The head phase is done already.")
        return
    # A snapshot of this phase holds the head as it was then.
    if not standing.resume:
        solved = set_start(network, examples, config, listener)
        standing.leave_one_out_accuracy = solved

    def make(batch_size: int) -> Phase:
        return phase(network, examples, config, batch_size, standing.best, listener)

    with standing.keep_best(config, listener):
        if config.method == "train":
            smaller_batches.run(make, config.head_epochs, standing, listener)
        else:
            # A closed form, or the source's own layer, is where it is to be already.
            make(standing.batch_size).judge_as_it_is()
    network.restore(standing.best)


def phase(
    network: Network,
    examples: BySplit,
    config: TrainConfig,
    batch_size: int,
    best: Best,
    listener: Listener,
    rate: Rate | None = None,
) -> Phase:
    """The phase, to be run.

    Args:
        network: As in `run`.
        examples: As in `run`.
        config: The settings.
        batch_size: Images per step.
        best: Updated with every epoch that beats it.
        listener: Hears of it.
        rate: The learning rate by step, in place of the one that is set.
    """
    labels, classes = examples["train"].labels, len(network.class_names)
    weights = recipe.class_weights(config, labels, classes)

    # The head alone: below it everything is frozen, so the features are computed.
    def forward(features: Any, training: bool) -> Any:
        return network.head(features, training=training)

    steps = Steps(
        forward,
        network.head.trainable_variables,
        recipe.optimizer(config, rate or config.learning_rate),
        recipe.make(config, weights, batch_size),
        network.head_random(),
    )
    return Phase("head", steps, examples, best, listener, network.measure_changes)


def set_start(
    network: Network, examples: BySplit, config: TrainConfig, listener: Listener
) -> float | None:
    """Sets the head to where its phase starts from; random numbers stay.

    Returns:
        The leave-one-out accuracy of a head in closed form, in [0, 1]; else None.
    """
    if config.method == "source":
        backbone = catalogue.get(config.backbone)
        taken = source_head.classification_layer(backbone, network.class_names)
        network.head.get_layer("logits").set_weights(taken)
    # A hidden layer has no closed form; the head of an earlier run is a better start.
    elif config.head == "linear" and not network.goes_on:
        return _solve(network, examples, config, listener)
    return None


def _solve(
    network: Network, examples: BySplit, config: TrainConfig, listener: Listener
) -> float | None:
    """Sets a linear head to its closed form: the start of the head phase.

    On flower_photos ten epochs from here reached 0.897, from random weights 0.885
    (mean of 3 seeds).
    """
    train, classes = examples["train"], len(network.class_names)
    weights = recipe.class_weights(config, train.labels, classes)
    solution = closed_form.solve(
        train.features,
        train.labels,
        classes,
        None if weights is None else weights[train.labels],
    )
    accuracy = None if np.isnan(solution.accuracy) else solution.accuracy
    judged = (
        "too few examples to leave one out"
        if accuracy is None
        else f"leave-one-out accuracy {solution.accuracy:.3f}, loss {solution.loss:.3f}"
    )
    listener.log(f"Ridge regression of strength {solution.strength:g}: {judged}.")
    network.head.get_layer("logits").set_weights([solution.kernel, solution.bias])
    return accuracy
