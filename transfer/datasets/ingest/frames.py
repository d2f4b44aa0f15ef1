"""Batches of an upload: the frames in which a browser sends files, and their limits.

A batch is a row of frames: four bytes with the length of a header, the header as JSON
`{"path", "offset", "total", "size"}`, then `size` bytes of the file at `offset`. A
small file is one frame; a large one is cut into pieces that arrive in order.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from transfer.datasets import kinds
from transfer.errors import UploadError, UploadTooLargeError

MAX_HEADER = 8192
MAX_PIECE = 8 << 20
MAX_PICTURE = 200 << 20
MAX_ZIP = 50 << 30


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The bytes of one file from `offset` on; `total` is the length of the file."""

    path: str
    offset: int
    total: int
    content: bytes


class FrameParser:
    """Reads the frames of one batch as its bytes come in, in chunks of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._header: dict[str, Any] | None = None

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        """The pieces that this chunk completes.

        Raises:
            UploadError: The bytes are no batch.
            UploadTooLargeError: A file or piece is beyond the limit.
        """
        self._buffer += chunk
        while True:
            if self._header is None:
                self._header = self._take_header()
            if self._header is None or len(self._buffer) < self._header["size"]:
                return
            content = bytes(self._take(self._header["size"]))
            header, self._header = self._header, None
            _check_kind(header, content)
            yield Piece(
                path=header["path"],
                offset=header["offset"],
                total=header["total"],
                content=content,
            )

    def finish(self) -> None:
        """Says that the batch is over.

        Raises:
            UploadError: The batch ended in the middle of a frame.
        """
        if self._header is not None or self._buffer:
            raise UploadError("The batch was cut off on its way.", "Send it again.")

    def _take(self, count: int) -> bytearray:
        taken = self._buffer[:count]
        del self._buffer[:count]
        return taken

    def _take_header(self) -> dict[str, Any] | None:
        if len(self._buffer) < 4:
            return None
        (length,) = struct.unpack(">I", self._buffer[:4])
        if length > MAX_HEADER:
            raise UploadError(
                f"A frame's header says {length} bytes: this is no batch."
            )
        if len(self._buffer) < 4 + length:
            return None
        self._take(4)
        return _checked_header(bytes(self._take(length)))


def _checked_header(raw: bytes) -> dict[str, Any]:
    try:
        header = json.loads(raw)
        path, numbers = header["path"], [header[k] for k in ("offset", "size", "total")]
        # Half of a pair of surrogates, which some browsers send, is no text.
        str(path).encode()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UploadError("A frame's header cannot be read.") from error
    # By `type`, since True is an instance of int as well.
    if not isinstance(path, str) or not all(type(n) is int and n >= 0 for n in numbers):
        raise UploadError("A frame's header has values of the wrong kind.")
    offset, size, total = numbers
    if offset + size > total:
        raise UploadError(f"A piece of {path[:200]!r} reaches beyond the file's end.")
    # Now, before its bytes come: what is too large shall not fill the memory first.
    _check_size(path, size, total)
    return dict(header)


def _check_size(path: str, size: int, total: int) -> None:
    limit = MAX_ZIP if kinds.is_zip(path) else MAX_PICTURE
    if size > MAX_PIECE or total > limit:
        raise UploadTooLargeError(
            f"{path[:200]} has {max(size, total):,} bytes, and at most {limit:,} for a "
            f"file and {MAX_PIECE:,} for a piece are taken."
        )


def _check_kind(header: dict[str, Any], content: bytes) -> None:
    """Refuses the first piece of what is no picture by its ending nor first bytes."""
    path = header["path"]
    # Only the first piece has the first bytes; later ones come with its leave.
    if header["offset"] or kinds.is_zip(path) or kinds.may_be_labels(path):
        return
    if kinds.is_named_like_any(path):
        return
    if not any(kinds.begins_like(kind, content) for kind in kinds.EXTENSIONS):
        raise UploadError(
            f"{path[:200]!r} is neither a picture, a zip nor a file of labels."
        )
