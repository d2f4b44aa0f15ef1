"""Bundles of every format: they work alone and answer as the app does."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.transfer.export.conftest import GREY, SIZE, THRESHOLD, alone, finish
from transfer.datasets import decoding, library
from transfer.datasets.pixels import resize
from transfer.errors import ConfigError
from transfer.export import bundle, catalogue, parity
from transfer.prediction import models
from transfer.store.record import Run

EVERY = [(one.name, q) for one in catalogue.FORMATS.values() for q in one.quantizations]

Export = Callable[..., tuple[Path, dict[str, Any]]]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Bundles that were made already: each takes many seconds."""
    return {"folder": tmp_path_factory.mktemp("bundles")}


@pytest.fixture
def export(finished: Run, made: dict[str, Any]) -> Export:
    """Exports the tiny run, once per format and quantisation."""

    def one(name: str, quantize: str = "none") -> tuple[Path, dict[str, Any]]:
        key = f"{name}-{quantize}"
        if key not in made:
            output = made["folder"] / key
            order = bundle.Order(
                run=finished, chosen=catalogue.get(name, quantize), quantize=quantize
            )
            made[key] = output, bundle.write(order, output, zipped=name == "onnx")
        answer: tuple[Path, dict[str, Any]] = made[key]
        return answer

    return one


@pytest.mark.parametrize(("name", "quantize"), EVERY)
def test_write__answers_as_the_app_does(
    export: Export, name: str, quantize: str
) -> None:
    output, told = export(name, quantize)
    found = told["parity"]
    assert found["images"] == 18
    assert found["bytes"] > 100_000
    assert found["milliseconds_per_image"] > 0
    if quantize == "none":
        assert found["largest_difference"] <= catalogue.TOLERANCES[quantize]
        assert found["agrees"]
    else:
        assert found["agreement"] >= (0.8 if quantize == "int8" else 17 / 18)
    assert json.loads((output / "parity.json").read_text()) == found


@pytest.mark.parametrize(("name", "quantize"), EVERY)
def test_verify__agrees_in_a_process_without_our_package(
    export: Export, name: str, quantize: str
) -> None:
    output, told = export(name, quantize)
    done = alone(str(output / "verify.py"), cwd=output.parent)
    assert done.returncode == (0 if told["parity"]["agrees"] else 1), done.stderr
    assert "18 files" in done.stdout


def test_verify__fails_where_the_model_disagrees(
    export: Export, tmp_path: Path
) -> None:
    output, _ = export("onnx")
    copy = shutil.copytree(output, tmp_path / "copy")
    expected = json.loads((copy / "golden" / "expected.json").read_text())
    expected["images"][0]["probabilities"] = [1.0, 0.0, 0.0]
    (copy / "golden" / "expected.json").write_text(json.dumps(expected))
    done = alone(str(copy / "verify.py"), cwd=tmp_path)
    assert done.returncode == 1
    assert "DOES NOT AGREE" in done.stdout


def test_predict__names_classes_and_errors(export: Export, tmp_path: Path) -> None:
    output, _ = export("onnx")
    picture = next((output / "golden").glob("*.jpg"))
    done = alone(str(output / "predict.py"), str(picture), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert any(name in done.stdout for name in ("cat", "dog", "Gänse blümchen"))
    asked = alone(str(output / "predict.py"), "--json", str(picture), cwd=tmp_path)
    (answer,) = json.loads(asked.stdout)["predictions"]
    assert answer["sure"] == (max(answer["probabilities"]) >= THRESHOLD)
    assert ("I don't know" in done.stdout) == (not answer["sure"])
    missing = alone(str(output / "predict.py"), "none.jpg", cwd=tmp_path)
    assert missing.returncode == 1
    assert "none.jpg does not exist" in missing.stderr


def test_predict__deep_grey_is_scaled_as_the_app_scales_it(
    export: Export, finished: Run, tmp_path: Path
) -> None:
    ramp = np.linspace(*GREY, 80 * 60).reshape(60, 80).astype(np.uint16)
    for number, values in enumerate((ramp, np.sort(ramp, axis=0)[::-1] + 9)):
        Image.fromarray(values).save(tmp_path / f"{number}.png")
    paths = sorted(tmp_path.glob("*.png"))
    own = models.load(finished.id).probabilities(list(paths))
    assert np.ptp(decoding.decode(paths[0], (SIZE, SIZE), finished.rendering)) > 200
    output, _ = export("onnx")
    got, _ = parity.exported_answers(output, paths)
    np.testing.assert_allclose(got, own, atol=1e-4)


def test_predict__resizes_as_the_run_did(finished: Run, tmp_path: Path) -> None:
    pets = library.load("pets")
    run = finish(pets, "with a border", resizing="fit")
    told = bundle.write(
        bundle.Order(run=run, chosen=catalogue.get("onnx")), tmp_path / "out"
    )
    assert told["parity"]["agrees"]
    described = json.loads((tmp_path / "out" / "model.json").read_text("utf-8"))
    resized = described["preprocessing"]["resize"]
    assert (resized["resizing"], resized["border"]) == ("fit", [*resize.BORDER])
    card = (tmp_path / "out" / "MODEL_CARD.md").read_text("utf-8")
    assert "pictures of another shape: resized to fit in, centred on a border" in card
    paths = [library.image_path(one.sha256) for one in pets.images[:6]]
    own = models.load(run.id).probabilities(list(paths))
    # What was proved depends on it: the pictures are not square.
    stretched = models.load(finished.id).probabilities(list(paths))
    assert np.abs(own - stretched).max() > 0.01
    resized["resizing"] = "crop"
    (tmp_path / "out" / "model.json").write_text(json.dumps(described), "utf-8")
    runner = models.load(run.id).runner
    runner.resizing = "crop"
    got, _ = parity.exported_answers(tmp_path / "out", paths)
    np.testing.assert_allclose(got, runner.run(paths).probabilities, atol=1e-4)


@pytest.mark.parametrize("name", ["litert", "onnx", "openvino", "savedmodel"])
def test_runner__takes_batches_of_any_size(
    export: Export, finished: Run, tmp_path: Path, name: str
) -> None:
    output, _ = export(name)
    revision = library.load("pets")
    paths = [library.image_path(one.sha256) for one in revision.images[:5]]
    own = models.load(finished.id).probabilities(list(paths))
    pixels = np.stack([decoding.decode(one, (SIZE, SIZE)) for one in paths])
    np.save(tmp_path / "pixels.npy", pixels.astype(np.float32))
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import numpy as np, pathlib\n"
        "from runner import Runner\n"
        "runner = Runner(pathlib.Path(sys.argv[1], sys.argv[2]))\n"
        "pixels = np.load('pixels.npy')\n"
        "np.save('five.npy', runner.run(pixels))\n"
        "np.save('2.npy', runner.run(pixels[:2]))"
    )
    file = catalogue.FORMATS[name].file
    done = alone("-c", code, str(output), file, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "five.npy"), own, atol=1e-4)
    np.testing.assert_allclose(np.load(tmp_path / "2.npy"), own[:2], atol=1e-4)


def test_write__bundle_says_what_it_is(export: Export) -> None:
    output, told = export("onnx")
    described = json.loads((output / "model.json").read_text("utf-8"))
    assert described["class_names"] == ["Gänse blümchen", "cat", "dog"]
    assert described["input"]["shape"] == [None, SIZE, SIZE, 3]
    assert described["metrics"]["val_accuracy"] == 0.75
    low, high = described["metrics"]["val_accuracy_interval_95"]
    assert low < 0.75 < high
    assert described["threshold"] == THRESHOLD
    figures = described["metrics"]["evaluations"]["val"]
    assert figures["top_1"]["low"] < figures["top_1"]["value"] == 13 / 18
    labels = (output / "labels.txt").read_text("utf-8").splitlines()
    assert labels == described["class_names"]
    card = (output / "MODEL_CARD.md").read_text("utf-8")
    assert "Freeze plan: `all`; 3,843 parameters trained" in card
    assert "Val accuracy: 75.00%" in card
    assert "On 18 val images: top 1 72.22% (49.13% to 87.50%)" in card
    assert f"Answers below a probability of {THRESHOLD} count as unsure" in card
    pinned = (output / "requirements.txt").read_text().splitlines()
    assert [one.partition("==")[0] for one in pinned] == [
        *("numpy", "onnxruntime", "pi-heif", "pillow")
    ]
    with zipfile.ZipFile(told["zip"]) as archive:
        assert f"{output.name}/predict.py" in archive.namelist()


def test_labels__are_one_line_a_class() -> None:
    written = bundle._labels(["a", "cat\nline", "caf\udce9", "dog"])
    assert written.splitlines() == ["a", "cat\\nline", "caf\\xe9", "dog"]


def test_write__int8_and_float16_are_smaller(export: Export) -> None:
    full, half, eighth = (
        export("litert", q)[1]["parity"]["bytes"] for q in catalogue.QUANTIZATIONS
    )
    assert eighth < half < 0.7 * full


def test_write__folder_that_is_not_empty_is_kept(finished: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    order = bundle.Order(run=finished, chosen=catalogue.get("keras"))
    with pytest.raises(ConfigError, match="not an empty folder"):
        bundle.write(order, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_certify__disagreement_is_shown(export: Export, finished: Run) -> None:
    output, _ = export("onnx")
    chosen = library.load("pets").of_split("val")[:4]
    paths = [library.image_path(one.sha256) for one in chosen]
    own = models.load(finished.id).probabilities(list(paths))
    turned = np.roll(own, 1, axis=1)
    found = parity.certify(output, paths, turned, quantize="none", split="val")
    assert not found.agrees
    assert len(found.differing) == 4
    assert {"file", "app", "exported"} == set(found.differing[0])
