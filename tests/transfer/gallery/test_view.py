"""Images filtered and sorted: by what they are, and by what runs said of them."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pictures import make_pictures
from transfer.datasets import chosen, classes, editing
from transfer.datasets.ingest.importer import import_path
from transfer.datasets.revision import Image, Revision, Split
from transfer.errors import NotFoundError
from transfer.evaluation import metrics, results
from transfer.evaluation.results import Evaluation
from transfer.gallery import view as views
from transfer.gallery.view import View
from transfer.store import files


@pytest.fixture
def pets(workspace: Path, tmp_path: Path) -> Revision:
    """Ten cats of 32 pixels and six dogs of 48."""
    make_pictures(tmp_path / "pets", {"cat": 10})
    make_pictures(tmp_path / "pets", {"dog": 6}, (48, 40), seed=5)
    return import_path(tmp_path / "pets", "pets", val=0.3)


def paths(revision: Revision, **wanted: Any) -> list[str]:
    view = View(dataset="pets", revision=revision.id, **wanted)
    return [one.path for one in views.show(view).images]


def said(
    revision: Revision, run: str, chances: list[float], split: Split = "val"
) -> tuple[Image, ...]:
    """Stores what a run said of a split: the probability of a cat for each image."""
    images = revision.of_split(split)
    probabilities = np.array([[one, 1 - one] for one in chances], np.float32)
    labels = np.array([one.label for one in images])
    files.evaluation(run, split).parent.mkdir(parents=True, exist_ok=True)
    results.save(
        Evaluation(
            run=run,
            split=split,
            class_names=("cat", "dog"),
            sha256=np.array([one.sha256 for one in images]),
            paths=np.array([one.path for one in images]),
            labels=labels,
            probabilities=probabilities,
            temperature=1.0,
            figures=metrics.figures(probabilities, labels),
        )
    )
    return images


def test_show__filters_add_up(pets: Revision) -> None:
    assert len(paths(pets)) == 16
    dogs = paths(pets, classes=("dog",))
    assert len(dogs) == 6 and all(one.startswith("dog/") for one in dogs)
    val = {one.path for one in pets.of_split("val")}
    assert {*paths(pets, classes=("dog",), splits=("val",))} == val & {*dogs}
    assert paths(pets, text="CAT_3") == ["cat/cat_3.png"]
    assert paths(pets, text="none") == []


def test_show__left_out_ones_apart(pets: Revision) -> None:
    without = editing.leave_out("pets", ["cat/cat_3.png"], "dark")
    assert "cat/cat_3.png" not in paths(without)
    assert paths(without, is_out=True) == ["cat/cat_3.png"]


def test_show__a_choice_in_its_own_order_or_another(pets: Revision) -> None:
    wanted = [pets.images[at].sha256 for at in (7, 12, 2)]
    choice = chosen.keep([*wanted, "0" * 64])
    ways = {
        (7, 12, 2): paths(pets, chosen=choice, order="chosen"),
        (2, 12, 7): paths(pets, chosen=choice, order="chosen", is_descending=True),
        (7, 2, 12): paths(pets, chosen=choice, order="class"),
    }
    for positions, found in ways.items():
        assert found == [pets.images[at].path for at in positions]


def test_show__sorted_by_name_split_and_size(pets: Revision) -> None:
    assert paths(pets, order="name") == sorted(paths(pets))
    splits = {one.path: one.split for one in pets.images}
    ordered = [splits[one] for one in paths(pets, order="split")]
    assert ordered == sorted(ordered, key=["train", "val"].index)
    largest = paths(pets, order="pixels", is_descending=True)
    assert {one[:3] for one in largest[:6]} == {"dog"}
    assert {one[:3] for one in paths(pets, order="bytes")[:10]} == {"cat"}


def test_show__sorted_by_what_runs_said(pets: Revision) -> None:
    count = len(pets.of_split("val"))
    chances = [0.99, 0.2, *[0.6] * (count - 2)]
    images = said(pets, "run1", chances)
    said(pets, "run2", [0.99, 0.2, *[0.6] * (count - 3), 0.05])
    worst = paths(pets, order="loss", is_descending=True, run="run1")
    surest = paths(pets, order="confidence", is_descending=True, run="run1")
    apart = paths(
        *(pets,), order="disagreement", is_descending=True, run="run1", other="run2"
    )
    assert worst[0] == images[1].path  # a cat that it took for a dog
    assert surest[0] == images[0].path
    assert apart[0] == images[-1].path
    # What was not asked comes last, whichever way they are sorted.
    unsure = paths(pets, order="confidence", run="run1")
    assert {*unsure[:count]} == {one.path for one in images} == {*surest[:count]}
    shown = views.show(View(dataset="pets", revision=pets.id, order="loss", run="run1"))
    assert shown.answers.predicted[0] == "cat"


def test_show__runs_disagree_on_an_image_that_is_in_another_split_for_each(
    pets: Revision,
) -> None:
    val, train = pets.of_split("val"), pets.of_split("train")
    said(pets, "run1", [0.5] * len(val))
    said(pets, "run1", [0.5] * len(train), "train")
    other = editing.move_to_split("pets", [val[0].sha256], "train")
    said(other, "run2", [0.5] * len(other.of_split("val")))
    chances = [0.9 if x == val[0].sha256 else 0.6 for x in _hashes(other, "train")]
    said(other, "run2", chances, "train")
    view = View(dataset="pets", revision=pets.id, run="run1", other="run2")
    shown = views.show(replace(view, order="disagreement", is_descending=True))
    assert shown.images[0].sha256 == val[0].sha256
    # Of who is in val for both, nothing is known but that they agree.
    apart = {0.4: 1, 0.1: len(train), 0.0: len(val) - 1}
    told = Counter(round(float(one), 3) for one in shown.answers.disagreement)
    assert told == apart


def _hashes(revision: Revision, split: Split) -> list[str]:
    return [one.sha256 for one in revision.of_split(split)]


def test_show__only_what_lies_between(pets: Revision) -> None:
    assert len(paths(pets, order="pixels", least=33)) == 6
    assert len(paths(pets, order="pixels", most=33)) == 10
    assert paths(pets, order="taken", least=0) == []  # nobody knows when
    count = len(pets.of_split("val"))
    said(pets, "run1", [0.6, *[0.9] * (count - 1)])
    unsure = paths(pets, order="confidence", most=0.7, run="run1")
    assert unsure == [pets.of_split("val")[0].path]


def test_show__a_later_evaluation_counts(pets: Revision) -> None:
    count = len(pets.of_split("val"))
    said(pets, "run1", [0.5] * count)
    view = View(dataset="pets", revision=pets.id, order="loss", run="run1")
    before = views.show(view).answers.confidence[0]
    said(pets, "run1", [0.9] * count)
    assert views.show(view).answers.confidence[0] != before


def test_show__what_was_said_of_a_renamed_class_is_said_of_it_now(
    pets: Revision,
) -> None:
    count = len(pets.of_split("val"))
    said(pets, "run1", [0.75] * count)
    said(pets, "run2", [0.25] * count)
    now = classes.rename("pets", "cat", "tomcat")
    view = View(dataset="pets", revision=now.id, run="run1", other="run2")
    found = views.show(replace(view, order="loss")).answers
    assert {*found.predicted[:count]} == {"tomcat"}
    shares = np.exp(-found.loss[:count]).round(3).tolist()
    assert {*shares} == {0.25, 0.75}
    assert found.disagreement[np.isfinite(found.disagreement)].tolist() == [0.5] * count


def test_show__a_merged_class_takes_what_was_said_of_its_parts(pets: Revision) -> None:
    val = pets.of_split("val")
    said(pets, "run1", [0.75] * len(val))
    said(pets, "run2", [0.25] * len(val))
    some = [one.sha256 for one in pets.of_split("train")[:1]]
    classes.split_off("pets", some, "bird")
    now = classes.merge("pets", ["cat", "dog"], "pet")
    view = View(dataset="pets", revision=now.id, run="run1", other="run2", order="loss")
    found = views.show(view).answers
    assert {*found.predicted[: len(val)]} == {"pet"}
    assert np.allclose(found.loss[: len(val)], 0, atol=1e-6)
    apart = found.disagreement[np.isfinite(found.disagreement)]
    assert np.allclose(apart, 0, atol=1e-6)


def test_show__a_class_whose_images_went_apart_keeps_its_old_name(
    pets: Revision,
) -> None:
    val = pets.of_split("val")
    said(pets, "run1", [0.75] * len(val))
    first, second, third = (one.sha256 for one in val if one.label == 0)
    classes.split_off("pets", [first], "lynx")
    classes.split_off("pets", [second], "puma")
    now = classes.rename("pets", "cat", "tiger")
    assert third in _hashes(now, "val")
    view = View(dataset="pets", revision=now.id, order="loss", run="run1")
    found = views.show(view).answers
    assert "cat" in found.predicted
    assert np.isfinite(found.loss).sum() == len(val) - 3


def test_from_token__is_the_view_or_an_error(pets: Revision) -> None:
    view = View(dataset="pets", revision=pets.id, classes=("cat", "dög"), order="name")
    assert View.from_token(view.to_token()) == view
    assert View.from_token(replace(view, classes=()).to_token()).classes == ()
    for wrong in ("", "bm90aGluZw", "e30", "eyJhIjogMX0", "[]"):
        with pytest.raises(NotFoundError, match="no such view"):
            View.from_token(wrong)
