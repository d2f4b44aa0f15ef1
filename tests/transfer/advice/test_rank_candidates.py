"""Rankings with a real backbone at random, and what is kept of them."""

from pathlib import Path

import pytest

from tests.pictures import make_pictures
from transfer.advice import candidates, rank_candidates
from transfer.advice.candidates import Candidate, PassedOver
from transfer.backbones import graph
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.errors import BackboneError, DatasetError, WeightsError

pytestmark = pytest.mark.usefixtures("workspace")


@pytest.fixture
def revision(workspace: Path, tmp_path: Path) -> Revision:
    """Two classes that differ in colour, 12 images each."""
    make_pictures(tmp_path / "pets", {"cat": 12, "dog": 12})
    return importer.import_path(tmp_path / "pets", "pets", val=0.25)


def candidate(**changes: object) -> Candidate:
    """One that was ranked."""
    facts: dict[str, object] = {
        "backbone": "mobilenet_v2_035",
        "weights": "random",
        "image_size": 224,
        "images": 18,
        "accuracy": 0.5,
        "low": 0.4,
        "high": 0.6,
        "log_me": -0.5,
        "images_per_second": 10.0,
        "seconds": 1.0,
        "parameters": 410_208,
    }
    return Candidate(**{**facts, **changes})  # type: ignore[arg-type]


def test_rank__measures_once_and_keeps_what_it_found(revision: Revision) -> None:
    told: list[dict[str, object]] = []

    def rank() -> list[Candidate | PassedOver]:
        names = ["mobilenet_v2_035"]
        return [
            *rank_candidates.rank(revision, names, "random", lambda **v: told.append(v))
        ]

    (found,) = rank()
    assert isinstance(found, Candidate)
    assert 0 <= found.low <= found.accuracy <= found.high <= 1
    assert (found.images, found.weights, found.parameters) == (18, "random", 410_208)
    assert found.images_per_second > 0 and found.seconds > 0
    assert told[-1] == {"backbone": "mobilenet_v2_035", "step": 18, "steps": 18}
    told.clear()
    assert rank() == [found] and not told
    assert candidates.all_kept(revision, "random") == [found]


def test_rank__missing_weights_are_passed_over(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*_: object, **__: object) -> None:
        raise WeightsError("The weights are not at hand.")

    monkeypatch.setattr(graph, "build", build)
    (one,) = rank_candidates.rank(revision, ["vgg16"], "imagenet", lambda **_: None)
    assert one == PassedOver("vgg16", "The weights are not at hand.")


def test_rank__an_unknown_backbone_is_named(revision: Revision) -> None:
    with pytest.raises(BackboneError, match="no backbone 'mobile'"):
        [*rank_candidates.rank(revision, ["mobile"], "random", lambda **_: None)]


def test_sample__too_few_images_are_told(workspace: Path, tmp_path: Path) -> None:
    make_pictures(tmp_path / "few", {"cat": 4, "dog": 4})
    few = importer.import_path(tmp_path / "few", "few")
    with pytest.raises(DatasetError, match="6 training examples of 2 classes"):
        rank_candidates.sample(few)


def test_all_kept__is_best_first_and_of_these_weights_and_resizing_only(
    revision: Revision,
) -> None:
    worse = candidate(backbone="vgg16")
    better = candidate(accuracy=0.7)
    for one in (worse, better, candidate(weights="imagenet", accuracy=0.9)):
        candidates.keep(revision, one)
    cropped = candidate(accuracy=0.8)
    candidates.keep(revision, cropped, "crop")
    assert candidates.all_kept(revision, "random") == [better, worse]
    assert candidates.all_kept(revision, "random", "crop") == [cropped]


def test_kept__a_damaged_record_is_measured_again(
    revision: Revision, workspace: Path
) -> None:
    candidates.keep(revision, candidate())
    (record,) = (workspace / "rankings" / revision.id).iterdir()
    record.write_text('{"backbone": "x"}')
    assert (
        candidates.kept_candidate(revision, "mobilenet_v2_035", "random", 224) is None
    )
