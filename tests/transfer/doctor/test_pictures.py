from dataclasses import replace

import numpy as np
import pytest

from tests.transfer.doctor.photographs import revision
from transfer.datasets.revision import PassedOver
from transfer.doctor import pictures
from transfer.doctor.measures import SIDE
from transfer.doctor.one_look import SAID, Looks


def looks(count: int = 40) -> Looks:
    """Looks at usual pictures."""
    rows = np.zeros(count, SAID)
    random = np.random.default_rng(0)
    for name, value in {"low": 20, "high": 230, "spread": 200}.items():
        rows[name] = value + random.normal(0, 5, count)
    rows["blur"] = 0.3 + random.normal(0, 0.02, count)
    rows["width"], rows["height"], rows["frames"] = 200, 150, 1
    return Looks(rows, np.zeros((count, SIDE, SIDE), np.uint8), {})


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("constant", {"spread": 1}),
        ("dark", {"high": 30}),
        ("light", {"low": 240}),
        ("blurred", {"blur": 0.8}),
        ("tiny", {"width": 20, "height": 15}),
        ("odd", {"width": 900, "height": 100}),
        ("odd", {"width": 150, "height": 200}),
        ("animated", {"frames": 7}),
    ],
)
def test_findings__what_stands_out(kind: str, values: dict[str, float]) -> None:
    made = looks()
    for name, value in values.items():
        made.rows[name][11] = value
    (found,) = pictures.findings(revision([0] * 40), made)
    assert found.kind == kind
    assert [one.path for one in found.images] == ["a/0011.jpg"]
    assert found.remedies[0].does == "leave out"


def test_findings__nothing_of_a_usual_dataset() -> None:
    assert not pictures.findings(revision([0] * 40), looks())


def test_findings__a_dataset_that_is_dark_by_nature() -> None:
    made = looks()
    made.rows["high"][::3] = 40
    assert not pictures.findings(revision([0] * 40), made)


def test_findings__what_cannot_be_read_and_what_never_came_in() -> None:
    made = looks()
    made.unreadable[4] = "It is damaged."
    passed_over = (PassedOver(path="a/no.jpg", reason="It is cut off."),)
    dataset = replace(revision([0] * 40), passed_over=passed_over)
    here, outside = pictures.findings(dataset, made)
    assert {here.kind, outside.kind} == {"unreadable"}
    assert here.images[0].path == "a/0004.jpg" and "damaged" in here.says
    assert outside.images[0].path == "a/no.jpg" and "cut off" in outside.says
