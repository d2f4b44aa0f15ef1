"""Pooled features of a backbone: those that are kept, or as soon as can be."""

from collections.abc import Sequence

from transfer.classifier import model
from transfer.datasets.decoding import Resizing
from transfer.datasets.renderings import Rendering
from transfer.features.extract import Extractor

#: What is looked at of the backbone.
LAYER = "pooling"


def see_with(
    backbone: str,
    source: str,
    rendering: Rendering | None,
    resizing: Resizing = "stretch",
) -> Extractor:
    """What looks at pictures with a backbone, at `LAYER` and in float32.

    Args:
        backbone: Name of the backbone.
        source: Where its weights come from, as in `graph.build`.
        rendering: The dataset's rendering, see `Revision.rendering`.
        resizing: As in `TrainConfig`.

    Raises:
        BackboneError: It is not in the catalogue, or has no weights here.
    """
    pooled = model.pooled_backbone(backbone, source)
    return Extractor(pooled, [LAYER], backbone, _no_log, rendering, resizing)


def prepare(exact: Extractor, hashes: Sequence[str]) -> None:
    """Does ahead what `soonest` with the same arguments would do first.

    For while the processor has other work too; see `engines.prepare`.
    """
    if not _has_all(exact, hashes):
        exact.prepare(LAYER)


def soonest(exact: Extractor, hashes: Sequence[str]) -> Extractor:
    """What gives features at `LAYER`: those of a training, or what is quickest here.

    Args:
        exact: As `see_with` gives it.
        hashes: SHA-256 of each image.
    """
    if _has_all(exact, hashes) or not exact.is_faster_in_bfloat16():
        return exact
    return exact.in_bfloat16()


def _has_all(extractor: Extractor, hashes: Sequence[str]) -> bool:
    return all(sha256 in extractor.shelves[LAYER] for sha256 in hashes)


def _no_log(line: str) -> None:
    """There is no log of a run."""
