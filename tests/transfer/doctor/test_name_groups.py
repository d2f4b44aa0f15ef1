import numpy as np

from tests.transfer.doctor.photographs import people, revision
from transfer.doctor import name_groups


def test_find__people_whose_pictures_are_alike() -> None:
    near, who, paths = people()
    made = revision((who % 2).tolist(), paths=paths)
    found = name_groups.find(made.images, made.class_names, near)
    assert found is not None
    assert len(np.unique(np.stack([found, who]), axis=1).T) == 10


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
