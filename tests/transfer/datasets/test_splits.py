"""Every class is divided alike, by seed, and learns from at least one image."""

from collections import Counter

import pytest

from transfer.datasets.splits import stratify
from transfer.errors import ConfigError


@pytest.mark.parametrize(
    ("images", "val", "test", "expected"),
    [
        (1, 0.5, 0.4, (1, 0, 0)),
        (2, 0.2, 0.0, (1, 1, 0)),
        (2, 0.01, 0.9, (1, 1, 0)),
        (2, 0.0, 0.1, (2, 0, 0)),
        (3, 0.1, 0.1, (1, 1, 1)),
        (3, 0.5, 0.4, (1, 1, 1)),
        (3, 0.0, 0.1, (2, 0, 1)),
        (3, 0.9, 0.0, (1, 2, 0)),
        (10, 0.2, 0.1, (7, 2, 1)),
        (633, 0.2, 0.0, (506, 127, 0)),
        (100, 0.0, 0.0, (100, 0, 0)),
    ],
)
def test_stratify__counts(
    images: int, val: float, test: float, expected: tuple[int, int, int]
) -> None:
    counted = Counter(stratify([0] * images, val, test, seed=0))
    assert (counted["train"], counted["val"], counted["test"]) == expected


@pytest.mark.parametrize("val", [0.01, 0.3, 0.9])
@pytest.mark.parametrize("test", [0.0, 0.05, 0.09])
@pytest.mark.parametrize("images", range(1, 12))
def test_stratify__least_counts(val: float, test: float, images: int) -> None:
    counted = Counter(stratify([0] * images, val, test, seed=1))
    assert counted["train"] >= 1
    assert counted["val"] >= (images >= 2)
    assert counted["test"] >= (images >= 3 and test > 0)


def test_stratify__each_class_by_itself() -> None:
    labels = [0, 1] * 50 + [2]
    splits = stratify(labels, 0.2, 0.0, seed=0)
    counted = Counter(zip(labels, splits, strict=True))
    assert counted[0, "val"] == counted[1, "val"] == 10
    assert counted[2, "train"] == 1


def test_stratify__seed_decides() -> None:
    labels = [0] * 30 + [1] * 30
    first = stratify(labels, 0.2, 0.1, seed=3)
    assert first == stratify(labels, 0.2, 0.1, seed=3)
    assert first != stratify(labels, 0.2, 0.1, seed=4)
    assert first[:30] != first[30:]


def test_stratify__a_group_goes_into_one_split() -> None:
    groups = [f"recording {number // 4}" for number in range(40)]
    drawn = stratify([0] * 40, 0.2, 0.1, 0, groups)
    of_group = {(group, split) for group, split in zip(groups, drawn, strict=True)}
    assert len(of_group) == 10
    assert drawn.count("val") == 8 and drawn.count("test") == 4


def test_stratify__groups_of_one_change_nothing() -> None:
    labels = [0] * 9 + [1] * 7
    alone = [str(number) for number in range(16)]
    assert stratify(labels, 0.3, 0.1, 5, alone) == stratify(labels, 0.3, 0.1, 5)


def test_stratify__no_images() -> None:
    assert stratify([], 0.2, 0.1, seed=0) == []


@pytest.mark.parametrize(
    ("val", "test", "seed", "match"),
    [
        (-0.1, 0.0, 0, "val is -0.1, but must be from 0 to 0.9"),
        (0.95, 0.0, 0, "val is 0.95"),
        (float("nan"), 0.0, 0, "val is nan"),
        (0.2, 2.0, 0, "test is 2.0"),
        (0.5, 0.5, 0, "nothing for train"),
        (0.2, 0.0, -1, "seed is -1"),
        (5.0, 5.0, -1, "val is 5.0.*test is 5.0.*seed is -1"),
    ],
)
def test_stratify__limits(val: float, test: float, seed: int, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        stratify([0, 1], val, test, seed)
