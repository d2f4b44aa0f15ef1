"""Trains a classifier: the head on a frozen backbone, then the unfrozen layers too."""

from dataclasses import dataclass
from pathlib import Path

import keras

from transfer.config import TrainConfig
from transfer.datasets.revision import Revision
from transfer.training import examples, fine_tune, head
from transfer.training.best import Best
from transfer.training.listener import Listener
from transfer.training.network import Network
from transfer.training.snapshot import Snapshot
from transfer.training.standing import Standing


@dataclass(kw_only=True)
class Trained:
    """What a training ends with.

    Attributes:
        model: The whole classifier with the best epoch's weights.
        best: Which epoch that was, and what it reached on val.
        batch_size: Images per step at the end: smaller than set where it was halved.
        halved_for: Why it is: `memory`, `time` or, where there are no more training
            images, `images`; empty if it is not.
        ended_early: What ended the training before its time, and what was kept;
            empty if nothing did.
        trainable_parameters: Number of weights that were trained.
        frozen_parameters: Number of weights that stayed as they were.
        leave_one_out_accuracy: See `Standing`.
        seconds: Duration by phase: `prepare`, `head`, `fine_tune`, `evaluate`.
    """

    model: keras.Model
    best: Best
    batch_size: int
    halved_for: str
    ended_early: str
    trainable_parameters: int
    frozen_parameters: int
    leave_one_out_accuracy: float | None
    seconds: dict[str, float]


def train(
    config: TrainConfig,
    revision: Revision,
    listener: Listener,
    resume: Snapshot | None = None,
    start_from: Path | None = None,
) -> Trained:
    """A classifier for the classes of `revision`, trained as `config` says.

    Args:
        config: The settings.
        revision: The images, their classes and splits.
        listener: Hears of progress, and says when to stop.
        resume: Where an earlier training of the same settings and images ended; this
            one ends as that one would have.
        start_from: The `model.keras` of a run with the same backbone, head and
            classes, whose weights are the start in place of the pretrained ones.

    Returns:
        The trained classifier. Where a stop was requested, or training failed when
        there was a good model already, that of the best epoch until then.

    Raises:
        StopRequested: The stop was requested before the training proper began.
        TransferError: Backbone, weights, freeze plan or images do not fit.
    """
    # For layers that draw random numbers and take no seed of their own.
    keras.utils.set_random_seed(config.seed)
    standing = Standing.at_start(config, len(revision.of_split("train")), resume)
    with standing.time_phase("prepare", listener):
        network = Network.build(config, revision.class_names, start_from)
        fine_tunes = fine_tune.is_wanted(network, config)
        # For both phases at once, in one pass over the pictures.
        cut = network.resolved.cut.layer if fine_tunes else "pooling"
        at = examples.compute(network, ["pooling", cut], config, revision, listener)
    with standing.time_phase("head", listener):
        head.run(network, at["pooling"], config, standing, listener)
    with standing.time_phase("fine_tune", listener):
        # A stop that was asked for while the head trained begins no longer phase.
        is_over = standing.ended_early or listener.stop_requested()
        if fine_tunes and not is_over:
            fine_tune.run(network, at[cut], config, standing, listener)
    with standing.time_phase("evaluate", listener):
        return _finish(network, fine_tunes, standing)


def _finish(network: Network, fine_tuned: bool, standing: Standing) -> Trained:
    model = network.assemble(fine_tuned)
    in_backbone = network.resolved.trainable_parameters if fine_tuned else 0
    # Not all `variables`: the dropout's random state is one of them.
    in_head = sum(v.shape.num_elements() for v in network.head.trainable_variables)
    trainable = in_backbone + in_head
    return Trained(
        model=model,
        best=standing.best,
        batch_size=standing.batch_size,
        halved_for=standing.halved_for,
        ended_early=standing.ended_early,
        trainable_parameters=trainable,
        frozen_parameters=model.count_params() - trainable,
        leave_one_out_accuracy=standing.leave_one_out_accuracy,
        seconds=standing.seconds,
    )
