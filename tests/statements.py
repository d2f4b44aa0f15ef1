"""What is asked of the store, told statement by statement."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from transfer.store.runs import Store


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """The statements that a store carries out within the block."""
    seen: list[str] = []

    def note(_c: object, _k: object, text: str, *_: object) -> None:
        seen.append(text)

    sa.event.listen(store._database._engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(store._database._engine, "before_cursor_execute", note)
