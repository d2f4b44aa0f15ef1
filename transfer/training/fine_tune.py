"""The fine-tuning phase: head and unfrozen layers, from features at the cut."""

from collections.abc import Callable

import keras
import tensorflow as tf

from transfer.backbones import graph
from transfer.classifier import model as classifier
from transfer.config import TrainConfig
from transfer.training import recipe, smaller_batches
from transfer.training.best import Best, losses_of
from transfer.training.blends import Trail
from transfer.training.examples import BySplit, Examples
from transfer.training.listener import Listener
from transfer.training.network import Network
from transfer.training.phase import Phase
from transfer.training.recipe import Rate
from transfer.training.standing import Standing
from transfer.training.steps import Steps, values


def is_wanted(network: Network, config: TrainConfig) -> bool:
    """Whether anything but the head trains."""
    return bool(network.resolved.trainable_layers) and config.fine_tune_epochs > 0


def run(
    network: Network,
    examples: BySplit,
    config: TrainConfig,
    standing: Standing,
    listener: Listener,
) -> None:
    """The fine-tuning phase, from the best head on.

    Args:
        network: Its head and unfrozen layers train; the best epoch's weights are in it
            then.
        examples: Of the layer at the cut.
        config: The settings.
        standing: Takes what comes of it.
        listener: Hears of it.

    Raises:
        TrainingError: It failed before there was a good model.
    """
    with standing.keep_best(config, listener):
        make = phases(network, examples, config, standing.best, listener)
        phase = smaller_batches.run(make, config.fine_tune_epochs, standing, listener)
        # A stop is to take no longer, and a run that is resumed has its blends then.
        if not listener.stop_requested():
            try_blends(phase, examples["val"], standing.best, listener)
    network.restore(standing.best)


def try_blends(phase: Phase, val: Examples, best: Best, listener: Listener) -> None:
    """Keeps a blend of the phase's start and what it came to, if val finds one best."""
    steps, trail = phase.steps, phase.trail
    for words, weights in (
        trail.blends(values(steps.variables)) if len(val.labels) else ()
    ):
        for variable in steps.variables:
            variable.assign(weights[variable.path])
        reached, probabilities = steps.answer(val)
        losses = losses_of(probabilities, val.labels)
        listener.log(
            f"Val accuracy {reached.accuracy:.4f}, loss {reached.loss:.4f} {words}."
        )
        if best.is_beaten_by(reached, losses):
            best.keep(weights, phase.name, trail.epochs, reached, words)


def phases(
    network: Network,
    examples: BySplit,
    config: TrainConfig,
    best: Best,
    listener: Listener,
    rate: Rate | None = None,
) -> Callable[[int], Phase]:
    """Gives the phase for so many images per step; it starts where the network is now.

    Args:
        network: As in `run`.
        examples: As in `run`.
        config: The settings.
        best: Updated with every epoch that beats it.
        listener: Hears of it.
        rate: The learning rate by step, in place of the one that is set.
    """
    suffix = graph.suffix(network.backbone, network.resolved.cut.layer)
    unfrozen = network.unfrozen_variables()
    # Noted here and not in the phase, which may begin anew with a smaller batch when
    # the layers have moved already.
    anchors = [(v, tf.identity(v.value)) for v in unfrozen if config.l2_sp]
    # A fine-tuning that never beats the head phase leaves these as they were; one that
    # is resumed may have a better epoch behind it.
    best.weights = values(unfrozen) | best.weights
    trains = [*unfrozen, *network.head.trainable_variables]
    blends = config.blend == "val"
    trail = Trail(start=values(trains) if blends else {})
    labels, classes = examples["train"].labels, len(network.class_names)
    weights = recipe.class_weights(config, labels, classes)

    def make(batch_size: int) -> Phase:
        schedule = rate or _schedule(config, -(-len(labels) // batch_size))
        steps = Steps(
            classifier.forward(suffix, network.head),
            trains,
            recipe.optimizer(config, schedule, factors(network, config)),
            recipe.make(config, weights, batch_size, anchors),
            network.head_random(),
        )
        changes = network.measure_changes
        return Phase("fine_tune", steps, examples, best, listener, changes, trail)

    return make


def factors(
    network: Network, config: TrainConfig
) -> list[tuple[keras.Variable, float]]:
    """The unfrozen variables, each with the factor on its learning rate."""
    resolved = network.resolved
    blocks = {
        layer.name: depth
        for depth, layers in enumerate(reversed(resolved.structure.blocks.values()))
        for layer in layers
        if layer.name in resolved.trains
    }
    # Only blocks that train are counted: a frozen one between two makes no step.
    depths = sorted(set(blocks.values()))
    return [
        (variable, config.layer_decay ** depths.index(depth))
        for name, depth in blocks.items()
        for variable in network.backbone.get_layer(name).trainable_variables
    ]


def _schedule(config: TrainConfig, steps: int) -> Rate:
    """Up within the first epoch, of so many steps, down along a cosine over all.

    Without the way up, unfreezing lost three points of accuracy in its first epoch: the
    head's gradients are largest then.
    """
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, steps * (config.fine_tune_epochs - 1)),
        warmup_target=config.fine_tune_learning_rate,
        warmup_steps=steps,
    )
