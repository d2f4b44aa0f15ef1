"""Runs compared by what they said of the same images."""

from dataclasses import replace

import numpy as np
import pytest

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
    assert found.difference == pytest.approx(15 / 40)
    assert found.low > 0 and found.is_real
    assert found.classes["cat"] == (20, 0.5, pytest.approx(17 / 20))
    # Of two classes of as many images it is the same.
    assert found.balanced_difference == pytest.approx(15 / 40)
    skewed = replace(found, classes={"cat": (1, 0.0, 1.0), "dog": (39, 1.0, 0.8)})
    assert skewed.balanced_difference == pytest.approx(0.4)
