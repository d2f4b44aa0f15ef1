import pytest

from tests.sounds_made import encode, tone
from transfer.datasets.sounds import recordings, windows


def times(
    seconds: float, window: float, overlap: float = 0.0
) -> list[tuple[float, float]]:
    """Start and end of each window of a recording."""
    with recordings.open_recording(encode(tone(300, seconds))) as file:
        found = list(windows.cut(file, window, overlap))
    assert all(len(x.samples) == round(8000 * (x.end - x.start)) for x in found)
    return [(round(one.start, 3), round(one.end, 3)) for one in found]


def test_cut__one_after_another() -> None:
    assert times(3.0, 1.0) == [(0, 1), (1, 2), (2, 3)]


def test_cut__with_an_overlap() -> None:
    assert times(2.0, 1.0, 0.5) == [(0, 1), (0.5, 1.5), (1, 2)]


def test_cut__the_last_may_be_shorter() -> None:
    assert times(2.5, 1.0) == [(0, 1), (1, 2), (2, 2.5)]
    assert times(2.1, 1.0) == [(0, 1), (1, 2)]


def test_cut__what_is_shorter_is_one() -> None:
    assert times(0.3, 1.0) == [(0, 0.3)]


def test_cut__blocks_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = times(3.0, 0.7, 0.25)
    monkeypatch.setattr(recordings, "_BLOCK", 1000)
    assert times(3.0, 0.7, 0.25) == whole
