"""A backbone and a head that are to be trained, and what of them stays frozen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from transfer.backbones import catalogue, graph
from transfer.backbones.freezing import FreezePlan, Resolved
from transfer.classifier import model as classifier
from transfer.config import TrainConfig
from transfer.training.best import Best
from transfer.training.block_changes import BlockChanges


@dataclass(frozen=True, kw_only=True)
class Network:
    """A backbone and a head, and what of the backbone may train.

    Attributes:
        backbone: From pixels to pooled features.
        head: From pooled features to logits.
        class_names: In label order.
        resolved: The freeze plan on this backbone, and its structure.
        measure_changes: How far each block is from its start, by name.
        goes_on: Whether the start is the weights of an earlier run, the head's too.
    """

    backbone: keras.Model
    head: keras.Model
    class_names: Sequence[str]
    resolved: Resolved
    measure_changes: Callable[[], dict[str, float]]
    goes_on: bool

    @classmethod
    def build(
        cls,
        config: TrainConfig,
        class_names: Sequence[str],
        start_from: Path | None = None,
    ) -> "Network":
        """The network of these settings.

        Args:
            config: The settings.
            class_names: In label order.
            start_from: A `model.keras` whose weights are the start in place of the
                pretrained ones.

        Raises:
            BackboneError: There is no such backbone, or it cannot take this size.
            FreezeError: The freeze plan does not fit the backbone.
            RunError: The model to start from is not a classifier of these classes.
            WeightsError: The weights are missing, broken or of another model.
        """
        built = graph.build(
            config.backbone,
            weights=config.weights,
            image_size=catalogue.image_size(config),
            seed=config.seed,
        )
        # Before pooling is added, which belongs to no block and has nothing to freeze.
        structure = graph.structure(built, config.backbone)
        resolved = FreezePlan.parse(config.freeze).resolve(structure)
        cells = catalogue.get(config.backbone).cells
        backbone = classifier.add_pooling(built, cells)
        channels = backbone.output_shape[-1]
        head = classifier.head(config.head, channels, len(class_names), config.seed)
        if start_from:
            classifier.take_weights(start_from, backbone, head)
        return cls(
            backbone=backbone,
            head=head,
            class_names=class_names,
            resolved=resolved,
            # It remembers where the blocks start, so only now that they have weights.
            measure_changes=BlockChanges(backbone, structure).measure,
            goes_on=start_from is not None,
        )

    def unfrozen_variables(self) -> list[keras.Variable]:
        """The backbone's variables that train; never BatchNorm's statistics."""
        names = self.resolved.trainable_layers
        layers = [self.backbone.get_layer(name) for name in names]
        return [v for layer in layers for v in layer.trainable_variables]

    def head_random(self) -> list[keras.Variable]:
        """The random state of the head's dropout."""
        return list(self.head.non_trainable_variables)

    def restore(self, best: Best) -> None:
        """Puts the best epoch's weights back into the network."""
        # The best holds only what has trained since; all else is where it was.
        for variable in [*self.backbone.variables, *self.head.variables]:
            if variable.path in best.weights:
                variable.assign(best.weights[variable.path])

    def assemble(self, fine_tuned: bool) -> keras.Model:
        """The whole classifier, from pixels on; frozen layers are marked as such.

        Args:
            fine_tuned: Whether anything but the head was to be trained.
        """
        # The saved file keeps these marks, for whoever trains it further elsewhere.
        for layer in self.backbone.layers:
            layer.trainable = fine_tuned and layer.name in self.resolved.trains
        return classifier.assemble(self.backbone, self.head)


def build_ahead(config: TrainConfig) -> None:
    """Has the backbone ready for a run of these settings.

    Raises:
        BackboneError: There is no such backbone, or it cannot take this size.
        WeightsError: The weights are missing, broken or of another model.
    """
    size = catalogue.image_size(config)
    graph.build_ahead(config.backbone, config.weights, size, config.seed)
