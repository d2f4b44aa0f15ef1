"""Figures: equal to scikit-learn's, honest intervals, odd splits."""

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as reference

from tests.transfer.evaluation.answers import coverage, sample
from transfer.evaluation import intervals, metrics


def test_figures__equal_those_of_scikit_learn() -> None:
    probabilities, labels = sample()
    predicted = probabilities.argmax(1)
    found = metrics.figures(probabilities, labels)
    assert found.images == 400
    assert found.top_1.value == pytest.approx(
        reference.accuracy_score(labels, predicted)
    )
    assert found.top_5.value == pytest.approx(
        reference.top_k_accuracy_score(labels, probabilities, k=5)
    )
    assert found.balanced_accuracy.value == pytest.approx(
        reference.balanced_accuracy_score(labels, predicted)
    )
    assert found.macro_f1.value == pytest.approx(
        reference.f1_score(labels, predicted, average="macro")
    )
    columns = reference.precision_recall_fscore_support(labels, predicted)
    for label, of_class in enumerate(found.classes):
        figures = of_class.precision, of_class.recall, of_class.f1
        assert [one.value for one in figures] == pytest.approx(
            [column[label] for column in columns[:3]]
        )
        assert of_class.images == columns[3][label]
        assert of_class.predicted == (predicted == label).sum()


def test_figures__values_lie_in_their_intervals() -> None:
    found = metrics.figures(*sample(60))
    intervals = [getattr(found, name) for name in metrics.HEADLINE]
    intervals += [getattr(c, n) for c in found.classes for n in metrics.PER_CLASS]
    for one in intervals:
        if not np.isnan(one.value):
            assert 0 <= one.low <= one.value <= one.high <= 1


def test_figures__come_back_from_json() -> None:
    probabilities, labels = sample(30, 12)
    found = metrics.figures(probabilities, labels)
    again = metrics.Figures.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert again.top_1 == found.top_1


def test_figures__more_resampling_of_the_same_split_gives_the_same() -> None:
    assert metrics.figures(*sample()) == metrics.figures(*sample())


def test_confusion__equals_that_of_scikit_learn() -> None:
    probabilities, labels = sample()
    predicted = probabilities.argmax(1)
    np.testing.assert_array_equal(
        metrics.confusion(labels, predicted, 7),
        reference.confusion_matrix(labels, predicted),
    )


@pytest.mark.parametrize("figure", ["balanced_accuracy", "macro_f1", "f1"])
def test_figures__intervals_cover_what_they_estimate(
    figure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = np.array([[0.30, 0.04, 0.02], [0.05, 0.25, 0.04], [0.03, 0.02, 0.25]])
    recalls = np.diag(cells) / cells.sum(1)
    scores = 2 * np.diag(cells) / (cells.sum(1) + cells.sum(0))
    truth = {
        "balanced_accuracy": recalls.mean(),
        "macro_f1": scores.mean(),
        "f1": scores[0],
    }[figure]
    monkeypatch.setattr(metrics, "_RESAMPLES", 500)
    drawn = np.random.default_rng(1).multinomial(300, cells.ravel(), 1000)
    intervals = [interval(figure, one.reshape(3, 3)) for one in drawn]
    low, high = np.array([one[1:] for one in intervals]).T
    assert 0.93 <= coverage(low, high, truth) <= 0.97


def interval(figure: str, matrix: NDArray[np.int64]) -> intervals.Interval:
    if figure == "f1":
        return metrics.f1(matrix[0, 0], matrix[0].sum(), matrix[:, 0].sum())
    means = {"balanced_accuracy": metrics._mean_recall, "macro_f1": metrics._macro_f1}
    return metrics._bootstrap(matrix, means[figure])


def test_bootstrap__labels_are_sorted_once_however_many_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    matrix = np.random.default_rng(0).integers(0, 9, (7, 7))
    whole = metrics._bootstrap(matrix, metrics._macro_f1)
    made, init = list[int](), metrics._Sums.__init__

    def count(self: metrics._Sums, *given: Any) -> None:
        made.append(1)
        init(self, *given)

    monkeypatch.setattr(metrics._Sums, "__init__", count)
    monkeypatch.setattr(metrics, "_COUNTS", 500 * np.count_nonzero(matrix))
    assert metrics._bootstrap(matrix, metrics._macro_f1) == whole
    assert len(made) == 2  # for the rows and for the columns


def test_similarity_order__confused_classes_stand_together() -> None:
    matrix = np.diag([10] * 6)
    matrix[0, 5] = matrix[5, 0] = 8
    matrix[2, 4] = matrix[4, 2] = 8
    order = metrics.similarity_order(matrix)
    assert sorted(order) == list(range(6))
    assert abs(order.index(0) - order.index(5)) == 1
    assert abs(order.index(2) - order.index(4)) == 1


@pytest.mark.parametrize("classes", [1, 2])
def test_similarity_order__few_classes_stay_as_they_are(classes: int) -> None:
    matrix = np.ones((classes, classes), np.int64)
    assert metrics.similarity_order(matrix) == list(range(classes))


def test_similarity_order__without_images() -> None:
    assert sorted(metrics.similarity_order(np.zeros((4, 4), np.int64))) == [0, 1, 2, 3]


def test_figures__class_without_images_has_no_recall() -> None:
    probabilities, labels = sample(80, 4)
    kept = labels != 2
    found = metrics.figures(probabilities[kept], labels[kept])
    assert found.classes[2].images == 0
    assert np.isnan(found.classes[2].recall.value)
    assert not np.isnan(found.balanced_accuracy.value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "y_pred contains classes not in y_true"
        expected = reference.balanced_accuracy_score(
            labels[kept], probabilities[kept].argmax(1)
        )
    assert found.balanced_accuracy.value == pytest.approx(expected)


def test_figures__no_mistake_leaves_room_for_one() -> None:
    labels = np.arange(40) % 4
    found = metrics.figures(np.eye(4, dtype=np.float32)[labels], labels)
    for one in (found.top_1, found.balanced_accuracy, found.macro_f1):
        assert one.value == one.high == 1.0
        assert one.low == pytest.approx(40 / (40 + intervals._Z**2))
    assert found.classes[0].f1.low < 1


def test_figures__one_class() -> None:
    found = metrics.figures(np.ones((5, 1), np.float32), np.zeros(5, np.int64))
    assert found.top_1.value == found.macro_f1.value == 1.0


def test_figures__empty_split() -> None:
    found = metrics.figures(np.empty((0, 3), np.float32), np.empty(0, np.int64))
    assert found.images == 0
    assert np.isnan([*found.top_1, *found.balanced_accuracy, *found.macro_f1]).all()
    assert found.to_json()["top_1"] == {"value": None, "low": None, "high": None}


def test_label_ranks__equal_probabilities_count_as_argmax_does() -> None:
    probabilities = np.array([[0.4, 0.4, 0.2], [0.4, 0.4, 0.2]], np.float32)
    assert metrics.label_ranks(probabilities, np.array([0, 1])).tolist() == [0, 1]
