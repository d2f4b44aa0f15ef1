"""Ridge regression against scikit-learn's, image by image."""

from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import Ridge as Reference

from transfer.classifier import ridge
from transfer.classifier.ridge import Ridge


def _made(images: int, channels: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Images of three classes in turn, not centred."""
    features = np.random.default_rng(0).normal(2, 1.5, (images, channels))
    return features.astype(np.float32), (np.arange(images) % 3).astype(np.int32)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("channels", [5, 80])  # fewer and more than images
def test_leave_one_out__is_what_leaving_out_gives(
    channels: int, weighted: bool
) -> None:
    features, labels = _made(40, channels)
    x, y, weights = features.astype(np.float64), np.eye(3)[labels], np.ones(40)
    if weighted:
        weights = np.where(labels == 0, 2.0, 0.5)
    solved = Ridge(features, labels, 3, weights)
    (scores,) = solved.leave_one_out(features, labels, weights, np.array([0.3]))
    alpha = 0.3 * solved.scale
    for left_out in (0, 17, 39):
        others = np.arange(40) != left_out
        model = Reference(alpha=alpha).fit(x[others], y[others], weights[others])
        expected = model.predict(x[left_out : left_out + 1])[0]
        # Only the classes' shares stay as they are.
        expected += np.average(y, 0, weights)
        expected -= np.average(y[others], 0, weights[others])
        np.testing.assert_allclose(scores[left_out], expected, rtol=1e-4, atol=1e-5)


def test_coefficients__weights_count_like_repeated_images() -> None:
    features, labels = _made(60, 6)
    twice = np.where(labels == 0, 2, 1)
    repeated = np.repeat(np.arange(60), twice)
    ones = np.ones(len(repeated))
    np.testing.assert_allclose(
        Ridge(features, labels, 3, twice.astype(np.float64)).coefficients(0.1),
        Ridge(features[repeated], labels[repeated], 3, ones).coefficients(0.1),
        atol=1e-9,
    )


@pytest.mark.parametrize("channels", [6, 80])
def test_coefficients__many_images_are_taken_part_by_part(
    channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, labels = _made(60, channels)
    whole = Ridge(features, labels, 3, np.ones(60)).coefficients(0.1)
    monkeypatch.setattr(ridge, "PART", 7)
    by_parts = Ridge(features, labels, 3, np.ones(60)).coefficients(0.1)
    np.testing.assert_allclose(by_parts, whole, atol=1e-9)


def test_take__of_a_mapped_file_little_stays_in_memory(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((4096, 256), np.float32)
    path = tmp_path / "features"
    values.tofile(path)
    mapped = np.memmap(path, np.float32, "r", shape=values.shape)
    positions = np.sort(np.random.default_rng(1).permutation(4096)[:3000])
    taken = ridge.take(mapped, positions)
    assert np.array_equal(taken, values[positions])
    held = [one.rss for one in psutil.Process().memory_maps() if one.path == str(path)]
    assert sum(held) < values.nbytes / 4
