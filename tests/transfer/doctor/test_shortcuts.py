from dataclasses import replace

import numpy as np
import pytest

from tests.transfer.doctor.photographs import revision
from transfer.datasets.revision import Revision
from transfer.doctor import shortcuts
from transfer.doctor.measures import SIDE
from transfer.doctor.one_look import SAID, Looks

LABELS = [0] * 60 + [1] * 60 + [2] * 60


def looks(seed: int = 0) -> Looks:
    """Looks at pictures of which no property knows the class."""
    random = np.random.default_rng(seed)
    rows = np.zeros(len(LABELS), SAID)
    for name in ("width", "height"):
        rows[name] = random.integers(200, 400, len(rows))
    rows["format"], rows["mode"] = "JPEG", "RGB"
    rows["quality"] = random.choice([300, 700, 1400], len(rows))
    rows["taken"] = random.integers(20_000, 20_100, len(rows))
    for name in ("colour", "border"):
        rows[name] = random.normal(120, 30, (len(rows), 3))
    rows["border_spread"] = random.normal(40, 5, len(rows))
    greys = random.integers(0, 255, (len(rows), SIDE, SIDE)).astype(np.uint8)
    return Looks(rows, greys, {})


def named_alike() -> Revision:
    return revision(LABELS, paths=[f"{at}.jpg" for at in range(len(LABELS))])


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"width": 224, "height": 224}, "the size in pixels"),
        ({"format": "PNG"}, "the format"),
        ({"quality": 555}, "the format"),
        ({"border": 0, "border_spread": 0}, "the border"),
        ({"taken": 19_000}, "the date"),
    ],
)
def test_findings__a_class_that_is_told_by_it(
    values: dict[str, float | str], name: str
) -> None:
    made = looks()
    for column, value in values.items():
        made.rows[column][60:120] = value
    found = shortcuts.findings(named_alike(), made)
    told = next(one for one in found if name in one.says)
    assert told.kind == "shortcut" and '"b"' in told.says
    assert told.certainty >= 0.9
    assert {one.class_name for one in told.images} == {"a", "b", "c"}


@pytest.mark.parametrize("seed", range(5))
def test_findings__none_without(seed: int) -> None:
    assert not shortcuts.findings(named_alike(), looks(seed))


def test_findings__the_way_files_are_called() -> None:
    paths = [
        f"x/{'IMG_' if label == 1 else 'DSC'}{at:04}.jpg"
        for at, label in enumerate(LABELS)
    ]
    (found,) = shortcuts.findings(revision(LABELS, paths=paths), looks())
    assert "the names" in found.says


def test_findings__the_day_on_which_files_were_changed() -> None:
    made, given = looks(), named_alike()
    made.rows["taken"] = 0
    changed = tuple(
        replace(image, day=20_000 if image.label == 2 else 20_300 + at % 9)
        for at, image in enumerate(given.images)
    )
    (found,) = shortcuts.findings(replace(given, images=changed), made)
    assert "the date" in found.says and '"c"' in found.says


@pytest.mark.parametrize(
    "path", ["a/cat_001.jpg", "a/b/Cat_17.PNG", "cat_0a1b2c3d.jpg", "dog_3.jpg"]
)
def test_way_of_naming__knows_neither_numbers_nor_classes(path: str) -> None:
    assert shortcuts.way_of_naming(path, ("cat", "dog")) == "_#"


def test_findings__a_border_of_another_colour_than_that_of_others() -> None:
    made = looks()
    made.rows["border"], made.rows["border_spread"] = (0, 0, 0), 0
    made.rows["border"][60:120] = (0, 0, 128)
    (found,) = shortcuts.findings(named_alike(), made)
    assert "the border" in found.says and '"b"' in found.says
