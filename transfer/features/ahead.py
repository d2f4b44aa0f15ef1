"""Pictures decoded in threads while an engine works at those before them."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from transfer.features.converted import BATCH

#: Batches that are decoded ahead of the engine.
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
    starts = iter(range(0, len(items), BATCH))
    waiting: deque[tuple[int, list[Future[Decoded]]]] = deque()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:

        def fill(batches: int) -> None:
            for start in islice(starts, batches):
                batch = items[start : start + BATCH]
                waiting.append((start, [pool.submit(decode, one) for one in batch]))

        # Not all at once: thousands of decoded pictures would fill the memory.
        fill(_AHEAD)
        while waiting:
            start, futures = waiting.popleft()
            decoded = [future.result() for future in futures]
            fill(1)
            yield start, decoded
