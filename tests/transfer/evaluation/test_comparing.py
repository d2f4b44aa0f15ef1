"""Runs compared by what they said of the same images."""

from dataclasses import replace

import numpy as np
import pytest

from tests.transfer.evaluation.answers import coverage
from transfer import workspace as folders
from transfer.config import TrainConfig
from transfer.evaluation import comparing, metrics, results
from transfer.store.runs import Store


def test_differing_settings__only_those_that_differ(store: Store) -> None:
    base = TrainConfig(dataset="pets")
    runs = [
        store.create(config)
        for config in (base, base.model_copy(update={"freeze": "none", "seed": 3}))
    ]
    assert comparing.differing_settings(runs) == {
        "freeze": ["all", "none"],
        "seed": [0, 3],
    }
    assert comparing.differing_settings([]) == {}


def test_compare__nothing_without_evaluations(store: Store) -> None:
    run = store.create(TrainConfig(dataset="pets"))
    assert comparing.compare(run, replace(run, id="ffffffff")) is None


def test_compare__pairs_the_images_by_their_hash(store: Store) -> None:
    runs = [store.create(TrainConfig(dataset="pets")) for _ in range(2)]
    labels = np.arange(40) % 2
    hashes = np.array([f"{i:064x}" for i in range(40)])
    right = [np.arange(40) >= 20, np.arange(40) >= 5]
    for run, good, order in zip(runs, right, (1, -1), strict=True):
        chosen = np.where(good, labels, 1 - labels)
        probabilities = np.eye(2, dtype=np.float32)[chosen]
        folders.folder("runs", run.id)
        results.save(
            results.Evaluation(
                run=run.id,
                split="val",
                class_names=("cat", "dog"),
                sha256=hashes[::order],
                paths=hashes[::order],
                labels=labels[::order],
                probabilities=probabilities[::order],
                temperature=1.0,
                figures=metrics.figures(probabilities, labels),
            )
        )
    found = comparing.compare(*runs)
    assert found and found.images == 40
    assert (found.only_first, found.only_second) == (0, 15)
    assert found.difference.value == pytest.approx(15 / 40)
    assert found.difference.low > 0 and found.is_real
    assert found.classes["cat"] == (20, 0.5, pytest.approx(17 / 20))
    # Of two classes of as many images it is the same.
    assert found.balanced_difference == pytest.approx(15 / 40)
    skewed = replace(found, classes={"cat": (1, 0.0, 1.0), "dog": (39, 1.0, 0.8)})
    assert skewed.balanced_difference == pytest.approx(0.4)


def test_paired_test__intervals_cover_the_difference() -> None:
    # Both right, only the first, only the second, neither.
    shares = (0.70, 0.12, 0.07, 0.11)
    drawn = np.random.default_rng(0).multinomial(250, shares, 3000)
    found = [comparing._newcombe(a, b, c, 250) for a, b, c, _ in drawn.tolist()]
    low, high = np.array([one[1:] for one in found]).T
    assert 0.93 <= coverage(low, high, 0.05) <= 0.97


def test_paired_test__equals_published_figures() -> None:
    # Newcombe 1998, table II: 36 both, 12 and 2 apart, 0 neither of 50.
    first = np.repeat([True, False, True], [36, 12, 2])
    second = np.repeat([True, True, False], [36, 12, 2])
    classes = np.repeat(["cat", "dog"], 25)
    found = comparing.paired_test(first, second, classes)
    assert found.difference == pytest.approx((0.20, 0.0569, 0.3404), abs=5e-5)
    assert (found.only_first, found.only_second, found.images) == (2, 12, 50)
    # Two tails of 14 throws with 2 or fewer heads: 2 (1 + 14 + 91) / 2 ** 14.
    assert found.p_value == pytest.approx(212 / 2**14)
    assert found.classes == {"cat": (25, 1.0, 1.0), "dog": (25, 13 / 25, 23 / 25)}


def test_paired_test__equal_runs_do_not_differ() -> None:
    right, classes = np.array([True, False, True]), np.array(["cat", "cat", "dog"])
    found = comparing.paired_test(right, right, classes)
    assert (found.p_value, found.difference.value) == (1.0, 0.0)
    none = comparing.paired_test(right[:0], right[:0], classes[:0])
    assert none.p_value == 1.0 and np.isnan(none.difference.value)
