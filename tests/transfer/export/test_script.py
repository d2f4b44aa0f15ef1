"""The program that repeats a run: readable, and it trains."""

import ast
import hashlib
import os
import re
import shutil
import subprocess
import sys
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
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.errors import RunError
from transfer.export import script
from transfer.prediction import server
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
        {"backbone": "starter", "weights": "starter"},
        {"head": "dense1024", "augmentation": "flip,rotation", "patience": 2},
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
    assert "<<" not in written and ">>" not in written
    assert "transfer" not in written
    assert len(written.splitlines()) < (450 if "Starter" in written else 350)


def test_text__finds_pictures_of_any_ending_and_below_splits_inside_classes(
    revision: Revision, tmp_path: Path
) -> None:
    written = ast.parse(script.text(run_of(), revision))
    written.body = [
        one
        for one in written.body
        if isinstance(one, ast.Assign)
        or (isinstance(one, ast.FunctionDef) and one.name == "find_images")
    ]
    program: dict[str, Any] = {"hashlib": hashlib, "re": re}
    exec(compile(written, "train.py", "exec"), program)  # noqa: S102
    for name in ("cat/train/1", "dog/val/2", "dog/notes"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(b"\xff\xd8\xff" + name.encode())
    (tmp_path / "set" / "dog" / "notes").write_text("a text")
    found = program["find_images"](tmp_path / "set")
    assert [(path.name, label) for path, label, _ in found] == [("1", 0), ("2", 1)]


def test_text__scales_deep_grey_by_the_range_of_the_dataset(revision: Revision) -> None:
    deep = replace(revision, grey=(1200.0, 1400.0))
    assert "\nGREY = (1200.0, 1400.0)" in script.text(run_of(), deep)
    assert "\nGREY = (0, 65535)" in script.text(run_of(), revision)


def test_text__unused_parts_are_left_out(revision: Revision) -> None:
    plain = script.text(run_of(), revision)
    assert "def changed" not in plain and "TRAINED" not in plain
    assert "def ridge" in plain
    assert "def ridge" not in script.text(run_of(head="dense1024"), revision)


def test_text__source_method_has_no_program(revision: Revision) -> None:
    with pytest.raises(RunError, match="trained nothing"):
        script.text(run_of(method="source"), revision)


def test_text__starter_brings_its_network(revision: Revision) -> None:
    written = script.text(run_of(backbone="starter"), revision)
    assert "def Starter(" in written and "keras.applications, BUILDER" not in written
    assert "def Starter(" not in script.text(run_of(), revision)
    assert script.files_beside(run_of(backbone="starter").config) == {}


def test_text__starter_repeats_the_run(revision: Revision, tmp_path: Path) -> None:
    settings = {"head_epochs": 1, "class_weights": "balanced"}
    run = run_of(backbone="starter", weights="starter", **settings)
    (tmp_path / "train.py").write_text(script.text(run, revision), "utf-8")
    for name, source in script.files_beside(run.config).items():
        shutil.copy(source, tmp_path / name)
    done = alone(str(tmp_path / "train.py"), str(tmp_path / "pets"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert re.search(r"val accuracy [01]\.\d{4}", done.stdout)
    assert "start: val_balanced_accuracy" in done.stdout


def test_text__the_run_it_started_from_is_gone(revision: Revision) -> None:
    with pytest.raises(RunError, match="run 87654321, which was deleted"):
        script.text(run_of(start_from="87654321"), revision)


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
    own = server.load(finished.id).probabilities(list(paths)).argmax(1)
    accuracy = np.mean(own == [one.label for one in val])
    assert f"val accuracy {accuracy:.4f}" in done.stdout


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
    assert "{'train': 18, 'val': 6, 'test': 0}" in done.stdout
    assert re.search(r"val accuracy [01]\.\d{4}", done.stdout)
    assert (tmp_path / "model.keras").is_file()
