"""Pages as somebody has them who has put the first lesson away."""

import pytest

from transfer.classroom import first_lesson


@pytest.fixture(autouse=True)
def without_lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its strip stands above every page; `shared/test_lesson.py` is about it."""
    monkeypatch.setattr(first_lesson, "place", lambda store: None)
