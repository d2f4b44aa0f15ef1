"""The closed-form head against its textbook definition, done the slow way."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from transfer.classifier import closed_form, ridge


def _made(
    images: int, channels: int, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Three classes around three centres."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(images) % 3).astype(np.int32)
    centres = np.random.default_rng(99).normal(0, 1, (3, channels))
    features = centres[labels] + rng.normal(0, 1.5, (images, channels))
    return features.astype(np.float32), labels


@pytest.mark.parametrize("channels", [5, 80])
def test_solve__ranks_as_ridge_regression_does(channels: int) -> None:
    features, labels = _made(60, channels)
    solution = closed_form.solve(features, labels, 3)
    x = features.astype(np.float64)
    centred = x - x.mean(0)
    scale = np.square(centred).sum() / min(centred.shape)
    model = Ridge(alpha=solution.strength * scale).fit(x, np.eye(3)[labels])
    logits = features @ solution.kernel + solution.bias
    expected = model.predict(x)
    factor = np.ptp(logits) / np.ptp(expected)
    np.testing.assert_allclose(logits, factor * expected, rtol=1e-3, atol=1e-2)


def test_solve__probabilities_are_calibrated() -> None:
    features, labels = _made(1500, 8)
    new, truth = _made(3000, 8, seed=1)
    solution = closed_form.solve(features, labels, 3)
    logits = new @ solution.kernel + solution.bias
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    sure, right = probabilities.max(1), probabilities.argmax(1) == truth
    assert abs(sure.mean() - right.mean()) < 0.05
    assert right.mean() == pytest.approx(solution.accuracy, abs=0.04)


def test_solve__of_many_images_some_choose_what_all_would(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    features, labels = _made(3000, 8)
    by_all = closed_form.solve(features, labels, 3)
    monkeypatch.setattr(closed_form, "_JUDGES", 300)
    by_some = closed_form.solve(features, labels, 3)
    assert by_some.strength == by_all.strength
    assert by_some.accuracy == pytest.approx(by_all.accuracy)
    assert by_some.loss == pytest.approx(by_all.loss, rel=1e-4)
    np.testing.assert_allclose(by_some.kernel, by_all.kernel, rtol=2e-3)


def test_solve__never_asks_for_many_rows_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ridge, "PART", 50)
    monkeypatch.setattr(closed_form, "_JUDGES", 40)
    asked = []

    class OnDisk:
        def __len__(self) -> int:
            return 600

        def __getitem__(self, positions: NDArray[np.int64], /) -> NDArray[np.float32]:
            asked.append(len(positions))
            return features[positions]

    features, labels = _made(600, 6)
    closed_form.solve(OnDisk(), labels, 3)
    assert max(asked) == 50


def _probabilities(
    solution: closed_form.Solution, features: NDArray[np.float32]
) -> NDArray[np.float64]:
    logits = (features @ solution.kernel + solution.bias).astype(np.float64)
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(1, keepdims=True))


@pytest.mark.parametrize("channels", [4, 40])  # fewer and more than images
@pytest.mark.parametrize("classes", [2, 3])
def test_solve__one_image_a_class_is_still_learnt_from(
    channels: int, classes: int
) -> None:
    features, labels = _made(classes, channels)
    solution = closed_form.solve(features, labels, classes)
    probabilities = _probabilities(solution, features)
    assert list(probabilities.argmax(1)) == list(labels)
    assert (probabilities.max(1) > 1.3 / classes).all()
    assert (probabilities.max(1) < 0.99).all()  # one image is no reason to be certain
    assert np.isnan(solution.accuracy) and np.isnan(solution.loss)


@pytest.mark.parametrize("each", [2, 5])
def test_solve__a_few_images_that_are_told_apart_are_no_certainty(each: int) -> None:
    def make(each: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        labels = np.repeat([0, 1], each).astype(np.int32)
        noise = np.random.default_rng(seed).normal(0, 0.3, (len(labels), 20))
        return (np.eye(20)[labels] + noise).astype(np.float32), labels

    solution = closed_form.solve(*make(each, 0), 2)
    assert solution.accuracy == 1
    new, truth = make(500, 1)
    probabilities = _probabilities(solution, new)
    right = (probabilities.argmax(1) == truth).mean()
    assert probabilities.max(1).mean() == pytest.approx(right, abs=0.05)


def test_solve__two_images_a_class_are_more_than_a_guess() -> None:
    labels = np.repeat(np.arange(5), 2).astype(np.int32)
    noise = np.random.default_rng(0).normal(0, 0.2, (10, 20))
    features = (np.eye(20)[labels] + noise).astype(np.float32)
    solution = closed_form.solve(features, labels, 5)
    sure = _probabilities(solution, np.eye(5, 20, dtype=np.float32))
    assert (np.diag(sure) > 0.4).all()
    assert solution.accuracy > 0.8


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("counts", [(40, 40, 1), (40, 1, 0), (40, 1, 1)])
def test_solve__the_only_image_of_a_class_takes_no_belief_from_the_others(
    counts: tuple[int, ...], weighted: bool
) -> None:
    features, labels = _made(600, 8)
    places = [np.flatnonzero(labels == c)[:n] for c, n in enumerate(counts)]
    chosen = np.concatenate(places)
    weights = len(chosen) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    of_images = weights[labels[chosen]].astype(np.float32) if weighted else None
    solution = closed_form.solve(features[chosen], labels[chosen], 3, of_images)
    of_largest = _probabilities(solution, features[labels == 0])
    assert (of_largest.argmax(1) == 0).mean() > 0.6
    assert of_largest.max(1).mean() > 0.6  # evenly spread it would be a third


def test_solve__equal_features_give_the_shares_of_the_classes() -> None:
    labels = np.array([0, 0, 0, 1], np.int32)
    solution = closed_form.solve(np.ones((4, 5), np.float32), labels, 2)
    assert np.isfinite(solution.kernel).all()
    assert solution.bias[0] > solution.bias[1]
