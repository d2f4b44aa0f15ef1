"""How much is known of a run's accuracy, in words."""

from typing import Any

import pytest

from tests.transfer.store.test_outcome import made
from transfer.evaluation import certainty


def told(result: dict[str, Any], **settings: Any) -> str:
    return certainty.in_words(made(result, **settings))


def test_in_words__many_val_images_leave_little_open() -> None:
    run = made({"val_images": 734, "val_accuracy": 0.9})
    assert "on 734 images of val" in certainty.in_words(run)
    assert "87.6% to 92.0%" in certainty.in_words(run)
    assert "say little" not in certainty.in_words(run) and not certainty.is_little(run)


def test_in_words__few_val_images_say_little() -> None:
    run = made({"val_images": 10, "val_accuracy": 0.9})
    assert "59.6% to 98.2%" in certainty.in_words(run)
    assert "So few images say little" in certainty.in_words(run)
    assert certainty.is_little(run)


def test_in_words__without_val_leaving_one_out_judges() -> None:
    came = {"val_images": 0, "train_images": 50, "leave_one_out_accuracy": 0.74}
    instant = told(came, method="instant")
    assert instant.startswith("No image is in val. Top-1 accuracy 74.0% on 50 images")
    assert "60.4% to 84.1%" in instant and "started from" not in instant
    assert "nothing judges what was trained since" in told(came)
    assert certainty.is_little(made(came))


def test_in_words__one_image_a_class_leaves_nothing_to_judge_by() -> None:
    came = {"val_images": 0, "train_images": 5, "leave_one_out_accuracy": None}
    assert told(came).startswith("Nothing is known of how good it is")
    assert certainty.is_little(made(came))


@pytest.mark.parametrize("came", [{}, {"val_accuracy": 0.9}])
def test_in_words__an_older_record_does_not_say(came: dict[str, Any]) -> None:
    assert told(came) == "" and not certainty.is_little(made(came))
