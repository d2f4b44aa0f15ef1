"""How the trained parameters move, by the settings."""

import numpy as np

from transfer.config import TrainConfig
from transfer.training import recipe


def test_class_weights__rarer_classes_count_for_more_and_the_mean_image_for_one() -> (
    None
):
    labels = np.repeat(np.array([0, 1], np.int32), [6, 2])
    config = TrainConfig(dataset="pets", class_weights="balanced")
    weights = recipe.class_weights(config, labels, 3)
    assert weights is not None and weights[1] == 3 * weights[0]
    assert weights[labels].mean() == 1


def test_class_weights__none_where_all_count_alike() -> None:
    labels = np.zeros(3, np.int32)
    assert recipe.class_weights(TrainConfig(dataset="pets"), labels, 2) is None


def test_make__without_anchors_nothing_is_held() -> None:
    config = TrainConfig(dataset="pets", l2_sp=0.1)
    assert recipe.make(config, None, 8).l2_sp == 0
