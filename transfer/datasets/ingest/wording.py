"""What is said of files while they come in, in words for pictures or recordings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from transfer.datasets import kinds
from transfer.datasets.revision import Kind, PassedOver
from transfer.errors import TransferError


@contextmanager
def speaking_of(kind: Kind) -> Iterator[None]:
    """Errors of the block speak of files of this kind."""
    try:
        yield
    except TransferError as error:
        error.message = kinds.in_words_of(kind, error.message)
        error.hint = kinds.in_words_of(kind, error.hint)
        error.args = error.message, error.hint
        raise


def in_words_of(kind: Kind, passed_over: Sequence[PassedOver]) -> list[PassedOver]:
    """The same, in words for files of this kind."""
    return [
        PassedOver(path=one.path, reason=kinds.in_words_of(kind, one.reason))
        for one in passed_over
    ]
