"""Predictions, heat maps and nearest images of a finished run."""

import base64
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.pictures import delete_dataset, make_pictures
from tests.transfer.runs_made import finished_run
from transfer import cluster
from transfer.backbones import graph
from transfer.classifier import runner
from transfer.classifier.runner import Runner
from transfer.datasets import decoding, library
from transfer.errors import ImageError, NotFoundError, RunError
from transfer.features import engines
from transfer.features.converted import BATCH
from transfer.features.extract import Extractor
from transfer.features.views import View
from transfer.prediction import models, neighbours, server
from transfer.store.runs import Store

pytestmark = pytest.mark.usefixtures("tiny")


def by_keras(model: keras.Model, pictures: list[Path | bytes]) -> NDArray[np.float32]:
    """What Keras itself says."""
    pixels = np.stack([decoding.decode(one, (32, 32)) for one in pictures])
    return np.asarray(model.predict_on_batch(pixels))


def ask(request: str, **arguments: Any) -> Any:
    """What the inference process answers to one request."""
    line = json.dumps({"request": request, "arguments": arguments}).encode()
    answers = io.BytesIO()
    server.serve(io.BytesIO(line), answers)
    return json.loads(answers.getvalue().splitlines()[-1])  # signs of life before it


def test_probabilities__many_and_few_agree_with_keras(
    workspace: Path, tmp_path: Path
) -> None:
    run, model = finished_run(tmp_path)
    paths = [*sorted((tmp_path / "pets").rglob("*.png"))] * 2
    many: list[Path | bytes] = [
        p if i % 3 else p.read_bytes() for i, p in enumerate(paths)
    ]
    assert len(many) > 2 * BATCH and len(many) % BATCH
    classifier = models.load(run.id)
    expected = by_keras(model, many)
    assert np.ptp(expected, axis=0).max() > 0.01  # pictures do differ
    np.testing.assert_allclose(classifier.probabilities(many), expected, atol=1e-4)
    few = classifier.probabilities(many[:3])
    np.testing.assert_allclose(few, expected[:3], atol=1e-4)
    np.testing.assert_allclose(few.sum(-1), 1, atol=1e-6)


@pytest.fixture
def lone_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster none of whose other machines has a core left."""
    monkeypatch.setenv("TRANSFER_ENGINE", "ray")
    monkeypatch.setattr(cluster, "cores", lambda: SimpleNamespace(count=lambda: 0))


def test_answer_each__a_cluster_loads_no_second_runner(
    workspace: Path, tmp_path: Path, lone_cluster: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = finished_run(tmp_path)
    paths = [*sorted((tmp_path / "pets").rglob("*.png"))][:3]
    read, loaded = runner.read, list[Runner | None]()
    monkeypatch.setattr(
        runner, "read", lambda *a: loaded.append(read(*a)) or loaded[-1]
    )
    for _ in range(2):
        classifier = models.load(run.id)
        assert len(classifier.answer_each(paths)) == 3
    assert loaded == [classifier.runner]


def test_answer_each__what_keras_runs_is_answered_on_a_cluster_too(
    workspace: Path, tmp_path: Path, lone_cluster: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = finished_run(tmp_path)
    paths = [*sorted((tmp_path / "pets").rglob("*.png"))][:3]

    def fail(*_: Any) -> None:
        raise RuntimeError("no such operation")

    monkeypatch.setattr(engines, "convert", fail)
    rows = models.load(run.id).answer_each(paths)
    assert [len(row) for row in rows if not isinstance(row, ImageError)] == [3, 3, 3]


def test_load__deep_grey_by_the_range_that_the_run_has_kept(
    workspace: Path, tmp_path: Path
) -> None:
    run, model = finished_run(tmp_path)
    store = Store()
    store.amend(run.id, grey=(1200.0, 1400.0))
    store.close()
    ramp = np.linspace(1200, 1400, 40 * 40).reshape(40, 40).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    pixels = decoding.decode(tmp_path / "deep.png", (32, 32), (1200.0, 1400.0))
    (said,) = models.load(run.id).probabilities([tmp_path / "deep.png"])
    expected = model.predict(pixels[np.newaxis], verbose=0)[0]
    np.testing.assert_allclose(said, expected, atol=1e-4)


def test_answers__an_unreadable_picture_stops_no_other(
    workspace: Path, tmp_path: Path
) -> None:
    run, _ = finished_run(tmp_path)
    good = next((tmp_path / "pets").rglob("*.png"))
    classifier = models.load(run.id)
    found = classifier.answers([good, b"no picture", tmp_path / "nowhere.jpg", good])
    assert sorted(found.unreadable) == [1, 2]
    assert np.isnan(found.probabilities[1:3]).all()
    # Rows of one batch may differ in their last bits, as the processor has it.
    same, again = found.probabilities[[0, 3]]
    np.testing.assert_allclose(again, same, atol=1e-6)
    with pytest.raises(ImageError, match="not a picture"):
        classifier.probabilities([good, b"no picture"])


def test_serve__predict_each_names_the_error_of_a_picture(
    workspace: Path, tmp_path: Path
) -> None:
    run, _ = finished_run(tmp_path)
    good = str(next((tmp_path / "pets").rglob("*.png")))
    sent = [{"path": good}, {"bytes": base64.b64encode(b"no").decode()}]
    one, other = ask("predict_each", run=run.id, pictures=sent, top=2)["result"]
    assert len(one["ranking"]) == 2
    assert one["ranking"][0][1] >= one["ranking"][1][1]
    assert other["error"]["kind"] == "ImageError"
    (whole,) = ask("predict", run=run.id, pictures=sent[:1])["result"]
    assert whole[:2] == one["ranking"] and len(whole) == 3


def test_serve__explain_gives_an_overlay_of_any_class(
    workspace: Path, tmp_path: Path
) -> None:
    run, _ = finished_run(tmp_path)
    path = str(next((tmp_path / "pets").rglob("*.png")))
    made = [
        ask("explain", run=run.id, picture={"path": path}, class_name=name)["result"]
        for name in ("cat", "dog")
    ]
    for png in made:
        with Image.open(io.BytesIO(base64.b64decode(png))) as image:
            assert (image.format, image.size) == ("PNG", (32, 32))
    refused = ask("explain", run=run.id, picture={"path": path}, class_name="cow")
    assert "no class" in refused["error"]["message"]


def test_serve__what_is_to_be_explained_and_is_gone_is_said(
    workspace: Path, tmp_path: Path
) -> None:
    run, _ = finished_run(tmp_path)
    gone = {"path": str(tmp_path / "gone.png")}
    said = ask("explain", run=run.id, picture=gone, class_name="cat")
    assert said["error"]["kind"] == "ImageError"


def test_serve__nearest_finds_the_training_image_itself(
    workspace: Path, tmp_path: Path
) -> None:
    run, _ = finished_run(tmp_path)
    revision = library.load("pets")
    image = revision.of_split("train")[3]
    sent = {"path": str(library.image_path(image.sha256))}
    assert ask("knows_training_images", run=run.id)["result"] is False
    refused = ask("nearest", run=run.id, picture=sent, count=4)
    assert f"transfer neighbours {run.id}" in refused["error"]["hint"]
    neighbours.look(run, models.load(run.id).runner)
    assert ask("knows_training_images", run=run.id)["result"] is True
    found = ask("nearest", run=run.id, picture=sent, count=4)["result"]
    assert len(found) == 4
    assert found[0]["sha256"] == image.sha256
    assert found[0]["class_name"] == revision.class_names[image.label]
    assert found[0]["similarity"] == pytest.approx(1, abs=2e-3)
    likeness = [one["similarity"] for one in found]
    assert likeness == sorted(likeness, reverse=True)
    in_train = {one.sha256 for one in revision.of_split("train")}
    assert {one["sha256"] for one in found} <= in_train


def test_look__what_is_computed_is_kept_and_told(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = finished_run(tmp_path)
    runner, told = models.load(run.id).runner, []
    monkeypatch.setattr(neighbours, "_PIECE", 20)
    first = neighbours.look(run, runner, lambda done, of: told.append((done, of)))
    of = len(first.images)
    assert told == [(done, of) for done in range(0, of, 20)] and of > 20
    np.testing.assert_allclose(
        np.linalg.norm(first.features.astype(float), axis=1), 1, atol=2e-3
    )
    again = neighbours.at_hand(run, runner)
    assert again is not None
    np.testing.assert_array_equal(first.features, again.features)
    (workspace / "runs" / run.id / "neighbours.npz").write_bytes(b"damaged")
    assert neighbours.at_hand(run, runner) is None
    once_more = neighbours.look(run, runner)
    np.testing.assert_allclose(once_more.features, first.features, atol=2e-3)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_at_hand__features_that_training_left_are_used(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bfloat16: bool
) -> None:
    run, model = finished_run(tmp_path)
    pooled = model.get_layer("pooled_backbone")  # as training has it
    exact = Extractor(pooled, ["pooling"], "tiny", lambda line: None)
    extractor = exact.in_bfloat16() if bfloat16 else exact
    views = [View(one.sha256) for one in library.load("pets").of_split("train")]
    extractor.compute({"pooling": views}, lambda done, of: None)
    runner = models.load(run.id).runner
    monkeypatch.setattr(Runner, "run", None)  # must not be asked
    found = neighbours.at_hand(run, runner)
    assert found is not None and len(found.images) == len(views)


def test_look__a_deleted_dataset_is_named(workspace: Path, tmp_path: Path) -> None:
    run, _ = finished_run(tmp_path)
    delete_dataset("pets")
    with pytest.raises(NotFoundError, match='dataset "pets" was deleted'):
        neighbours.look(run, models.load(run.id).runner)


def test_load__a_run_without_a_model_says_so(workspace: Path, tmp_path: Path) -> None:
    run, _ = finished_run(tmp_path)
    (workspace / "runs" / run.id / "model.keras").unlink()
    with pytest.raises(RunError, match="has no model"):
        models.load(run.id)
    assert ask("warm", run=run.id)["error"]["kind"] == "RunError"


def test_source__answers_with_the_classes_of_imagenet_and_then_without_keras(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_pictures(tmp_path / "pets", {"cat": 1}, (224, 224))
    path = str(next((tmp_path / "pets").rglob("*.png")))
    models.source.cache_clear()
    (said,) = ask("predict", run="", pictures=[{"path": path}])["result"]
    assert len(said) == 1000 and {"tabby", "daisy"} <= {name for name, _ in said}
    models.source.cache_clear()
    monkeypatch.setattr(graph, "build", None)  # must not be asked
    (again,) = ask("predict", run="", pictures=[{"path": path}])["result"]
    assert again == said
    models.source.cache_clear()
