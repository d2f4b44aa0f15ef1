"""What came of a run, in words."""

from dataclasses import replace
from typing import Any

import pytest

from transfer.config import TrainConfig
from transfer.store import outcome
from transfer.store.record import Run
from transfer.store.status import JobStatus

LARGEST = {"class": "ok", "accuracy": 0.927, "balanced_accuracy": 0.5}


def made(result: dict[str, Any], **settings: Any) -> Run:
    """A completed run."""
    config = TrainConfig(dataset="parts", **settings)
    named = {"id": "a" * 8, "name": "one", "dataset": "parts", "revision": "r"}
    return Run(
        **named,
        status=JobStatus.COMPLETED,
        config=config,
        created_at=0.0,
        result=result,
    )


def test_measure__an_older_weighted_run_was_judged_by_top_1() -> None:
    old = made({"val_accuracy": 0.9}, class_weights="balanced")
    assert outcome.measure(old) == "accuracy"
    assert outcome.headline(old) == 0.9
    assert outcome.measure(made({}, class_weights="balanced")) == "balanced_accuracy"


def test_model_id__a_run_that_went_on_has_another_model() -> None:
    stopped = made({})
    assert stopped.model_id != replace(stopped, ended_at=7.0).model_id
    once, twice = (replace(stopped, ended_at=None, started_at=at) for at in (8.0, 9.0))
    assert once.model_id != twice.model_id, "which goes on for the second time"


def test_headline__without_val_there_is_none() -> None:
    came = dict.fromkeys(("val_accuracy", "val_balanced_accuracy", "val_largest_class"))
    for weights in ("none", "balanced"):
        run = made(came, class_weights=weights)
        assert outcome.headline(run) is None
        assert outcome.beside_headline(run) == outcome.headline_in_words(run) == ""


def test_largest_class__what_always_naming_it_gives() -> None:
    counts = {"ok": 38, "defect": 3, "missing in val": 0}
    found = outcome.largest_class(counts)
    assert found == {
        "class": "ok",
        "accuracy": pytest.approx(38 / 41),
        "balanced_accuracy": 0.5,
    }
    assert outcome.is_skewed(found)
    assert outcome.largest_class({"ok": 0}) is None


def test_is_skewed__not_where_classes_are_of_like_sizes() -> None:
    counts = {"daisy": 127, "dandelion": 180, "roses": 128, "tulips": 160}
    found = outcome.largest_class(counts)
    assert found and not outcome.is_skewed(found)
    run = made({"val_accuracy": 0.9, "val_largest_class": found})
    assert outcome.beside_headline(run) == ""
    assert outcome.headline_in_words(run) == "val 90.0%"


@pytest.mark.parametrize(
    ("best", "settings", "said"),
    [
        (("head", 3), {}, ""),
        (("fine_tune", 2), {"freeze": "last:1"}, ""),
        (("head", 0), {}, "The head phase gained nothing: the head in closed form"),
        (("head", 0), {"head": "dense1024"}, "gained nothing: the head of random"),
        (("head", 0), {"start_from": "ab12"}, "the model of run ab12 that it started"),
        (("head", 0), {"freeze": "none"}, "and fine-tuning no more than luck"),
        (
            ("head", 3),
            {"freeze": "none"},
            "more than luck may: epoch 3 of the head phase",
        ),
        (("fine_tune", 0), {"freeze": "none"}, "luck may: where it started is kept"),
        (("head", 1), {"method": "instant"}, ""),
    ],
)
def test_remarks__say_where_training_gained_nothing(
    best: tuple[str, int], settings: dict[str, Any], said: str
) -> None:
    phase, epoch = best
    run = made({"best_phase": phase, "best_epoch": epoch}, **settings)
    remarks = outcome.remarks(run)
    assert (said in " ".join(remarks)) and bool(remarks) == bool(said)


def test_remarks__say_that_fine_tuning_was_short() -> None:
    came: dict[str, Any] = {"best_phase": "fine_tune", "best_epoch": 2}
    run = made({**came, "epochs_fine_tuned": 3}, freeze="last:1", fine_tune_epochs=8)
    assert outcome.remarks(run) == [
        "Fine-tuning ended after 3 of 8 epochs: no more was to gain."
    ]
    for done in (0, 8):
        came |= {"epochs_fine_tuned": done}
        assert not outcome.remarks(made(came, freeze="last:1", fine_tune_epochs=8))


@pytest.mark.parametrize("epoch", [0, 3])
def test_remarks__say_so_too_where_the_head_is_kept(epoch: int) -> None:
    came = {"best_phase": "head", "best_epoch": epoch, "epochs_fine_tuned": 3}
    run = made(came, freeze="last:1", fine_tune_epochs=8)
    ended, kept = outcome.remarks(run)
    assert ended == "Fine-tuning ended after 3 of 8 epochs: no more was to gain."
    assert "no more than luck may" in kept


def test_remarks__say_that_a_blend_was_kept() -> None:
    came = {"best_phase": "fine_tune", "best_epoch": 9, "best_blend": "50% of the way"}
    run = made(came, freeze="last:1")
    assert outcome.remarks(run) == [
        "Better on val than each epoch, and so kept: 50% of the way."
    ]
