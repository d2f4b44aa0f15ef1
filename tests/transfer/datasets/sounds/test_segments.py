import numpy as np

from transfer.datasets.sounds.segments import join


def test_join__neighbours_of_one_class_are_one_segment() -> None:
    times = [(0.0, 1.0), (0.5, 1.5), (1.0, 2.0), (1.5, 2.5)]
    sure = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.1, 0.9]])
    first, second = join(times, sure)
    assert (first.start, first.end, first.label) == (0.0, 1.0, 0)
    assert (second.start, second.end, second.label) == (1.0, 2.5, 1)
    assert 0.8 < first.probability < 0.9
    assert abs(second.probability - (0.55 * 0.5 + 0.9 * 1.0) / 1.5) < 1e-9


def test_join__one_window_is_one_segment() -> None:
    (only,) = join([(0.0, 0.4)], np.array([[0.3, 0.7]]))
    assert only == (0.0, 0.4, 1, 0.7)


def test_join__a_short_last_window_counts_too() -> None:
    found = join([(0.0, 1.0), (1.0, 1.3)], np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert [(one.start, one.end) for one in found] == [(0.0, 1.0), (1.0, 1.3)]
