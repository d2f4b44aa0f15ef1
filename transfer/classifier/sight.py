"""Pooled features of a backbone: those that are kept, or as soon as can be."""

from collections.abc import Sequence
from typing import NamedTuple

import keras

from transfer.backbones import catalogue, graph, weights
from transfer.classifier import model
from transfer.datasets.decoding import Resizing
from transfer.datasets.renderings import Rendering
from transfer.features.extract import Extractor

#: What is looked at of the backbone.
LAYER = "pooling"


class Sight(NamedTuple):
    """What looks at pictures.

    Attributes:
        model: A backbone that ends in pooled features.
        backbone: Its name.
        resizing: How the pictures are resized for it.
    """

    model: keras.Model
    backbone: str
    resizing: Resizing

    def prepare(self, hashes: Sequence[str], rendering: Rendering | None) -> None:
        """Does ahead what `extractor` with the same arguments would do first.

        For while the processor has other work too; see `engines.prepare`.

        Args:
            hashes: As there.
            rendering: As there.
        """
        exact = self._extractor(rendering, False)
        if not _has_all(exact, hashes):
            exact.prepare(LAYER)

    def extractor(
        self, hashes: Sequence[str], rendering: Rendering | None
    ) -> Extractor:
        """What gives features at `LAYER`: those of a training, or what is soonest.

        Args:
            hashes: SHA-256 of each image.
            rendering: The dataset's rendering, see `Revision.rendering`.
        """
        exact = self._extractor(rendering, False)
        if _has_all(exact, hashes) or not exact.is_faster_in_bfloat16():
            return exact
        return self._extractor(rendering, True)

    def _extractor(self, rendering: Rendering | None, bfloat16: bool) -> Extractor:
        how = bfloat16, rendering, self.resizing
        return Extractor(self.model, [LAYER], self.backbone, _no_log, *how)


def see_with(backbone: str, source: str, resizing: Resizing = "stretch") -> Sight:
    """What looks at pictures with a backbone.

    Args:
        backbone: Name of the backbone; the best whose weights are at hand if empty.
        source: Where its weights come from, as in `graph.build`.
        resizing: As in `TrainConfig`.

    Raises:
        BackboneError: It is not in the catalogue, or has no weights here.
    """
    name = backbone or weights.default_backbone()
    built = graph.build(name, weights=source)
    pooled = model.add_pooling(built, catalogue.get(name).cells)
    return Sight(pooled, name, resizing)


def _has_all(extractor: Extractor, hashes: Sequence[str]) -> bool:
    return all(sha256 in extractor.shelves[LAYER] for sha256 in hashes)


def _no_log(line: str) -> None:
    """There is no log of a run."""
