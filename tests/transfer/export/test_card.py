"""What the model card says of a run whose classes were weighted."""

from transfer.backbones import catalogue
from transfer.config import TrainConfig
from transfer.datasets.wording import WORDS
from transfer.export import card
from transfer.store.record import Run
from transfer.store.status import JobStatus


def test_method__names_the_measure_and_what_gained_nothing() -> None:
    run = Run(
        id="a" * 8,
        name="one",
        status=JobStatus.COMPLETED,
        config=TrainConfig(dataset="parts", class_weights="balanced", freeze="last:1"),
        dataset="parts",
        revision="",
        created_at=0.0,
        result={
            "val_accuracy": 0.95,
            "val_balanced_accuracy": 0.97,
            "best_phase": "head",
            "best_epoch": 3,
        },
    )
    said = card._method(run)
    assert "the best epoch by val balanced accuracy was kept" in said
    assert "Fine-tuning gained no more than luck may: epoch 3" in said
    assert card._metrics(run, {"threshold": None}, WORDS["images"]).startswith(
        "Balanced accuracy"
    )


def test_source__names_the_package_of_weights_and_their_hash() -> None:
    lite = catalogue.get("efficientnet_lite0")
    assert f"{lite.weights_package}, SHA-256 {lite.weights_hash}." in card._source(lite)
    assert card._source(catalogue.get("resnet50")) == ""
