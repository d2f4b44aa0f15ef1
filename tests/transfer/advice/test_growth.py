"""The learning curve on made features whose truth is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from transfer.advice import growth, resamples
from transfer.classifier import closed_form
from transfer.errors import DatasetError

NAMES = ("near", "also near", "far")


def _made(images: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Three classes of as many images; the first two are hard to tell apart."""
    random = np.random.default_rng(seed)
    labels = np.repeat([0, 1, 2], images).astype(np.int32)
    centres = np.zeros((3, 24))
    centres[0, 0], centres[1, 1], centres[2, 2:] = 1.4, 1.4, 1.2
    features = centres[labels] + random.normal(0, 1, (3 * images, 24))
    return features.astype(np.float32), labels


def _accuracy(images: int, seed: int) -> float:
    """Of a head from so many images a class, on images that it has not seen."""
    head = closed_form.solve(*_made(images, seed), 3)
    new, truth = _made(2000, 99)
    return float(((new @ head.kernel + head.bias).argmax(1) == truth).mean())


def test_grow__twice_as_many_images_come_to_what_it_says() -> None:
    features, labels = _made(40, 0)
    found = growth.grow(features, labels, NAMES)
    assert [one.images_per_class for one in found.points] == [2.5, 5, 10, 20, 32]
    accuracies = [one.accuracy.value for one in found.points]
    assert accuracies == sorted(accuracies)
    assert found.now.low < _accuracy(40, 1) < found.now.high
    assert found.twice.low < _accuracy(80, 1) < found.twice.high
    assert found.twice.high - found.twice.low < 0.25
    assert 0 <= found.gain.low < found.gain.value < found.gain.high


def test_grow__tells_which_classes_gain_most() -> None:
    found = growth.grow(*_made(60, 0), NAMES)
    near, also_near, far = found.classes
    assert far.accuracy > 0.95 > near.accuracy
    assert min(near.gain.value, also_near.gain.value) > far.gain.value
    assert far.needs_more < 0.2 and far.images == 60


def test_grow__is_the_same_every_time_and_tells_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(growth, "_MOST_DRAWS", 2)
    features, labels = _made(8, 0)
    told: list[tuple[int, int]] = []

    def tell(done: int, of: int) -> None:
        told.append((done, of))

    first = growth.grow(features, labels, NAMES, progress=tell)
    assert first == growth.grow(features, labels, NAMES)
    assert [done for done, _ in told] == list(range(told[0][1]))


def test_grow__is_the_same_however_many_resamples_are_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = _made(20, 0)
    at_once = growth.grow(*made, NAMES)
    monkeypatch.setattr(resamples, "_DRAWN", 1)
    assert growth.grow(*made, NAMES) == at_once


def test_grow__images_that_nobody_was_asked_about_say_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = _made(100, 0)
    all_asked = growth.grow(*made, NAMES)
    monkeypatch.setattr(growth, "_MOST_ASKED", 30)
    few_asked = growth.grow(*made, NAMES)
    for all_said, said in zip(all_asked.points, few_asked.points, strict=True):
        assert all_said.accuracy.value == pytest.approx(said.accuracy.value, abs=0.08)
        assert said.accuracy.low < all_said.accuracy.value < said.accuracy.high
    assert few_asked.images == 300


def test_grow__a_class_without_images_is_left_out() -> None:
    features, labels = _made(8, 0)
    found = growth.grow(features, labels, (*NAMES, "not there yet"))
    assert [one.name for one in found.classes] == list(NAMES)


@pytest.mark.parametrize(("images", "classes"), [(3, 3), (20, 1)])
def test_grow__too_few_images_are_said_to_be(images: int, classes: int) -> None:
    features, labels = _made(images, 0)
    few = labels < classes
    with pytest.raises(DatasetError, match=f"{images * classes} training examples"):
        growth.grow(features[few], labels[few], NAMES)
