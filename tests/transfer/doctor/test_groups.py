import numpy as np
import pytest

from tests.transfer.doctor.photographs import people, revision
from transfer.datasets.revision import SPLITS
from transfer.doctor import groups


def test_mend__no_group_is_torn_and_shares_stay() -> None:
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(100), 5)
    labels = group % 4
    splits = random.choice(SPLITS, 500, p=[0.7, 0.2, 0.1]).tolist()
    mended = groups.mend(labels, splits, group)
    numbers = np.array([SPLITS.index(split) for split in mended])
    assert not len(groups.torn_groups(numbers, group))
    for split in SPLITS:
        assert mended.count(split) == pytest.approx(splits.count(split), abs=15)


def test_mend__groups_that_lie_in_one_split_stay() -> None:
    splits = ["train", "train", "val", "train", "val", "val"]
    mended = groups.mend(np.zeros(6, int), splits, np.array([0, 0, 1, 2, 2, 2]))
    assert mended == ["train", "train", "val", "val", "val", "val"]


def test_join__together_in_either() -> None:
    joined = groups.join(np.array([0, 0, 1, 2, 3]), np.array([0, 1, 1, 2, 3]))
    assert joined[0] == joined[1] == joined[2]
    assert len({*joined.tolist()}) == 3


def test_findings__a_torn_split_with_its_honest_accuracy() -> None:
    # Whom one knows is told; the classes of people have nothing in common.
    near, who, paths = people()
    labels = who % 2
    splits = ["val" if at % 4 == 0 else "train" for at in range(len(who))]
    made = revision(labels.tolist(), splits, paths)
    (found,) = groups.findings(made, near, near, np.arange(len(who)), 1.0)
    assert found.kind == "group"
    assert "10 groups" in found.says and "100.0% on val as it is" in found.says
    (remedy,) = found.remedies
    assert remedy.does == "split"
    moved = {sha: split for split, some in remedy.targets.items() for sha in some}
    numbers = np.array(
        [SPLITS.index(moved.get(one.sha256, one.split)) for one in made.images]
    )
    assert not len(groups.torn_groups(numbers, who))


def test_measure__known_people_and_others() -> None:
    near, who, _ = people()
    before = ["val" if at % 4 == 0 else "train" for at in range(len(who))]
    after = ["val" if person >= 6 else "train" for person in who]
    leak = groups.measure(near, who % 2, before, after, who, 1.0)
    assert leak.before.value > 0.95 > leak.after.value
    # Four people are known no better than four pictures.
    assert leak.after.high - leak.after.low > 0.4
