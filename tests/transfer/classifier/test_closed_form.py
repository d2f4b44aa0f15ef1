"""The closed-form head against its textbook definition, done the slow way."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from transfer.classifier import closed_form


def _made(
    images: int, channels: int, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Three classes around three centres."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(images) % 3).astype(np.int32)
    centres = np.random.default_rng(99).normal(0, 1, (3, channels))
    features = centres[labels] + rng.normal(0, 1.5, (images, channels))
    return features.astype(np.float32), labels


@pytest.mark.parametrize("channels", [5, 80])  # fewer and more than images
def test_solve__leave_one_out_is_what_leaving_out_gives(channels: int) -> None:
    features, labels = _made(40, channels)
    x, y = features.astype(np.float64), np.eye(3)[labels]
    ridge = closed_form._Ridge(features, y, np.ones(40))
    (errors,) = ridge.left_out_errors(np.array([0.3]))
    alpha = 0.3 * ridge.scale
    for left_out in (0, 17, 39):
        others = np.arange(40) != left_out
        model = Ridge(alpha=alpha).fit(x[others], y[others])
        expected = y[left_out] - model.predict(x[left_out : left_out + 1])[0]
        np.testing.assert_allclose(errors[left_out], expected, rtol=1e-6, atol=1e-9)


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


def test_solve__weights_count_like_repeated_images() -> None:
    features, labels = _made(60, 6)
    twice = np.where(labels == 0, 2.0, 1.0).astype(np.float32)
    repeated = np.repeat(np.arange(60), twice.astype(int))
    y = np.eye(3)[labels]
    weighted = closed_form._Ridge(features, y, twice.astype(np.float64))
    plain = closed_form._Ridge(features[repeated], y[repeated], np.ones(len(repeated)))
    np.testing.assert_allclose(
        weighted.coefficients(0.1), plain.coefficients(0.1), atol=1e-9
    )


def test_solve__many_images_are_taken_part_by_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    features, labels = _made(60, 6)
    whole = closed_form.solve(features, labels, 3)
    monkeypatch.setattr(closed_form, "_PART", 7)
    parts = closed_form.solve(features, labels, 3)
    np.testing.assert_allclose(parts.kernel, whole.kernel, rtol=1e-4, atol=1e-6)
    assert parts.loss == pytest.approx(whole.loss)


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
