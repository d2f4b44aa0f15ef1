import numpy as np

from tests.transfer.doctor.photographs import revision
from transfer.doctor import classes


def sure(answers: list[int], count: int) -> np.ndarray:
    return np.eye(count, dtype=np.float32)[answers]


def test_findings__a_small_class_and_one_many_times_as_large() -> None:
    labels = [0] * 15 + [1] * 200
    found = classes.findings(revision(labels), sure(labels, 2))
    assert [one.kind for one in found] == ["few", "imbalance"]
    assert '"a" has 15 images' in found[0].says
    assert "13 times" in found[1].says


def test_findings__a_class_inside_another() -> None:
    labels = [0] * 60 + [1] * 60
    (found,) = classes.findings(revision(labels), sure([0] * 110 + [1] * 10, 2))
    assert found.kind == "inside"
    assert '"b" lies inside "a"' in found.says
    assert found.remedies[0].targets == {"a": ("b", "a")}


def test_findings__classes_that_are_told_apart() -> None:
    labels = [0] * 60 + [1] * 60
    assert not classes.findings(revision(labels), sure(labels, 2))
