import numpy as np
import pytest

from tests.transfer.doctor.photographs import people, revision
from transfer.doctor import name_groups


def test_find__people_whose_pictures_are_alike() -> None:
    near, who, paths = people()
    made = revision((who % 2).tolist(), paths=paths)
    found = name_groups.find(made.images, made.class_names, near)
    assert found is not None
    assert len(np.unique(np.stack([found, who]), axis=1).T) == 10


def test_find__a_few_at_a_time_and_a_long_name_say_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    near, who, paths = people()
    paths[7] = paths[7].replace("/", f"/{'long' * 300}/")
    made = revision((who % 2).tolist(), paths=paths)
    whole = name_groups.find(made.images, made.class_names, near)
    monkeypatch.setattr(name_groups, "_PIECE", 3)
    pieces = name_groups.find(made.images, made.class_names, near)
    assert whole is not None and pieces is not None and (whole == pieces).all()


def test_number__the_same_for_the_same() -> None:
    assert name_groups.number(["b", "a", "b", "c"]).tolist() == [0, 1, 0, 2]


def test_find__folders_below_the_class() -> None:
    near, who, paths = people()
    paths = [path.replace("_", "/") for path in paths]
    made = revision((who % 2).tolist(), paths=paths)
    assert name_groups.find(made.images, made.class_names, near) is not None


def test_find__names_that_say_nothing() -> None:
    near, who, paths = people()
    random = np.random.default_rng(1)
    made = revision((who % 2).tolist(), paths=random.permutation(paths).tolist())
    assert name_groups.find(made.images, made.class_names, near) is None


def test_find__windows_of_a_recording_are_alike_whatever_it_is_called() -> None:
    near, who, _ = people()
    # Each recording has eight windows; its name begins with one of five folds.
    paths = [
        f"{'ab'[one % 2]}/{one % 5}-{one}.wav@{at:05}.00.flac"
        for at, one in enumerate(who)
    ]
    made = revision((who % 2).tolist(), paths=paths)
    assert name_groups.find(made.images, made.class_names, near, who) is None
