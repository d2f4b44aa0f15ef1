"""Pictures decoded in threads while an engine works at those before them."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from transfer import shards
from transfer.features.converted import BATCH

#: Batches that are decoded ahead of the engine; not more, for thousands of decoded
#: pictures would fill the memory.
_AHEAD = 3

Item = TypeVar("Item")
Decoded = TypeVar("Decoded")


def ahead(
    items: Sequence[Item], decode: Callable[[Item], Decoded]
) -> Iterator[tuple[int, list[Decoded]]]:
    """Start and decoded items of each batch, while the next ones are decoded.

    Args:
        items: Cut into batches of `BATCH`.
        decode: Called in threads.
    """
    decoded = shards.each(decode, items, ahead=_AHEAD * BATCH, task=0)
    for start in range(0, len(items), BATCH):
        yield start, [*islice(decoded, BATCH)]
