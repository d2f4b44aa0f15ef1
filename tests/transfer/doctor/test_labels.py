import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.metrics import roc_auc_score

from tests.transfer.doctor.photographs import revision
from transfer.classifier import closed_form
from transfer.doctor import labels


def clouds(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of three classes, labels of which 30 are wrong, and which."""
    random = np.random.default_rng(seed)
    true = np.repeat(np.arange(3), 100)
    middles = 3 * random.normal(size=(3, 20))
    features = (middles[true] + random.normal(size=(300, 20))).astype(np.float32)
    wrong = np.zeros(300, bool)
    wrong[random.permutation(300)[:30]] = True
    return features, np.where(wrong, (true + 1) % 3, true).astype(np.int32), wrong


def _left_out(features: np.ndarray, given: np.ndarray, classes: int) -> np.ndarray:
    head = closed_form.fit(features, given, classes)
    return labels.probabilities_left_out(head, features, given, classes)


def test_suspect__wrong_labels_come_first() -> None:
    features, given, wrong = clouds()
    answers = _left_out(features, given, 3)
    found = labels.suspect(given, answers)
    assert roc_auc_score(wrong, -found.quality) > 0.98
    assert wrong[found.positions[:20]].all()


@pytest.mark.filterwarnings("ignore:May not flag all label issues")
@pytest.mark.parametrize("piece", [1, 100, 8192])
@pytest.mark.parametrize("sizes", [[500, 3], [1, 60, 40, 300, 2], [40] * 12])
def test_suspect__the_list_is_that_of_cleanlab(
    piece: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "_PIECE", piece)
    random = np.random.default_rng(1)
    given = random.permutation(np.repeat(np.arange(len(sizes)), sizes)).astype(np.int32)
    answers = random.dirichlet([0.3] * len(sizes), len(given)).astype(np.float32)
    answers[np.arange(len(given)), given] += 0.4
    answers = answers / answers.sum(1, keepdims=True)
    shares = answers.astype(np.float64)
    shares /= shares.sum(1, keepdims=True)
    theirs = find_label_issues(
        given, shares, return_indices_ranked_by="self_confidence", n_jobs=1
    )
    found = labels.suspect(given, answers)
    assert len(theirs) > 10
    assert found.positions.tolist() == theirs.tolist()
    expected = get_label_quality_scores(given, shares)
    np.testing.assert_array_equal(found.quality, expected)


def test_suspect__a_class_without_images_is_no_matter() -> None:
    features, given, _ = clouds()
    given[given == 2] = 3
    answers = _left_out(features, given, 4)
    assert len(labels.suspect(given, answers).positions) > 10


def test_probabilities_left_out__rows_sum_to_one_and_no_image_sees_itself() -> None:
    # Features without any meaning: who had seen them would know the label.
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 150)).astype(np.float32)
    given = random.integers(0, 2, 200).astype(np.int32)
    answers = _left_out(features, given, 2)
    np.testing.assert_allclose(answers.sum(1), 1, rtol=1e-5)
    assert (answers.argmax(1) == given).mean() < 0.65


def test_findings__one_image_each_and_where_it_would_go() -> None:
    features, given, wrong = clouds()
    made = revision(given.tolist(), ["val", *["train"] * 299])
    found = labels.findings(made, _left_out(features, given, 3))
    assert all(len(one.images) == 1 for one in found)
    certainties = [one.certainty for one in found]
    assert certainties == sorted(certainties, reverse=True)
    at = int(found[0].images[0].sha256, 16)
    move, leave_out = found[0].remedies
    target = made.class_names[(int(given[at]) + 2) % 3]
    assert move.does == "move"
    assert move.targets == {target: (found[0].images[0].sha256,)}
    assert leave_out.does == "leave out"


def test_accuracy__of_images_that_were_held_back() -> None:
    features, given, wrong = clouds()
    train = np.arange(300) % 2 == 0
    found = labels.accuracy(features, given, train, ~train & ~wrong, 3, 1.0)
    assert found.value == pytest.approx(1, abs=0.02)
