"""A file of which no more is given once the work at it has taken too long."""

import time
from typing import Any, BinaryIO, cast

from transfer.errors import ImageError

#: Seconds of a core that a picture may take. Pillow reads most files bit by bit, and
#: what it reads whole is bounded by its size; the largest that may be decoded takes
#: five on a slow core.
SECONDS = 30.0


def limit(file: BinaryIO) -> BinaryIO:
    """What reads like the file in this thread, but for `SECONDS` of work at most.

    Of work, so that a busy machine refuses no picture. After that it raises
    `ImageError`.
    """
    return cast(BinaryIO, _Limited(file))


class _Limited:
    def __init__(self, file: BinaryIO) -> None:
        self._file, self._end = file, time.thread_time() + SECONDS

    def read(self, size: int = -1) -> bytes:
        if time.thread_time() > self._end:
            raise ImageError(
                f"It takes more than {SECONDS:g} seconds to decode.",
                "Save the picture anew.",
            )
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
