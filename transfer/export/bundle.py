"""A finished run as a folder that works without this program, and proves it."""

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer import workspace
from transfer.backbones.catalogue import image_size, is_known
from transfer.classifier import model
from transfer.datasets import library, names, renderings
from transfer.datasets.decoding import Resizing
from transfer.datasets.pixels import resize
from transfer.datasets.revision import Image, Kind, Revision
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.datasets.wording import WORDS
from transfer.errors import ConfigError, RunError
from transfer.evaluation import results
from transfer.export import card, catalogue, formats, keeping, parity, programs
from transfer.prediction import models
from transfer.store import files
from transfer.store.record import Run

#: What model.json says of each way of resizing.
HOW: dict[Resizing, str] = {
    "stretch": "stretched to fill, nothing cropped",
    "crop": "the middle cropped to the shape, then resized",
    "fit": "resized to fit in, centred on a border",
}
#: Encoded originals that come with the bundle, to check it on another machine.
GOLDEN = 20


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be exported.

    Attributes:
        run: A run with a model.
        chosen: The format.
        quantize: One of its quantisations.
    """

    run: Run
    chosen: catalogue.Format
    quantize: str = "none"


def write(
    order: Order,
    output: Path,
    *,
    zipped: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Writes the bundle, whole or not at all.

    Args:
        order: What is to be exported.
        output: The bundle's folder; it must not exist, or be empty.
        zipped: Whether `OUTPUT.zip` is written too.
        tell: Takes a line about each step.

    Returns:
        `run`, `format`, `quantize`, `output`, `zip` and the certificate's values as
        `parity`.

    Raises:
        ConfigError: The output folder is not empty.
        NotFoundError: The run's dataset is gone, on which the file would be proved.
        RunError: The run has no model, or it cannot be written in this format.
        StorageError: The folder cannot be written.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ConfigError(
            f"{output} exists already and is not an empty folder.",
            "Choose another folder.",
        )
    with workspace.writing(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        # Beside the output, so that the last step is a rename on the same disk.
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".export-") as made:
            folder = Path(made) / "bundle"
            folder.mkdir()
            certificate = _fill(folder, order, tell)
            # An empty folder is in the way of a rename on Windows.
            if output.exists():
                output.rmdir()
            os.replace(folder, output)
        archive = _zip(output, tell) if zipped else None
    return {
        "run": order.run.id,
        "format": order.chosen.name,
        "quantize": order.quantize,
        "output": str(output),
        "zip": None if archive is None else str(archive),
        "parity": certificate.to_json(),
    }


def _fill(
    folder: Path, order: Order, tell: Callable[[str], None]
) -> parity.Certificate:
    run = order.run
    revision = keeping.revision(run)
    tell("loading the model")
    classifier = _classifier(run)
    size = tuple(classifier.input_shape[1:3])
    tell(f"writing {order.chosen.title}")
    chosen = keeping.calibration_images(revision) if order.quantize == "int8" else []
    pixels = _pixels(chosen, size, run)
    formats.write(classifier, order.chosen, order.quantize, folder, pixels)
    described = _description(order, revision, size)
    _write_json(folder / "model.json", described)
    (folder / "labels.txt").write_text(_labels(described["class_names"]), "utf-8")
    programs.write(folder, order.chosen, revision.kind)

    # The app's own answers come first: they are what the file is held against.
    split, compared = keeping.comparison_images(revision)
    what = WORDS[revision.kind].so_many(len(compared))
    tell(f"asking the app about {what} of {split}")
    paths = [library.image_path(one.sha256) for one in compared]
    app, how = models.load(run.id), revision.sound
    own = app.hear(paths, how) if how else app.probabilities(list(paths))
    golden = keeping.evenly(range(len(compared)), GOLDEN)
    _write_golden(folder, order, [compared[i] for i in golden], own[list(golden)])
    tell(f"asking the exported file about {what} of {split}")
    # By the bundle's own program in a process of its own, as others will ask it.
    certificate = parity.certify(
        folder, paths, own, quantize=order.quantize, split=split
    )
    _write_json(folder / "parity.json", certificate.to_json())
    text = card.text(run, revision, described, certificate)
    (folder / "MODEL_CARD.md").write_text(text, "utf-8")
    return certificate


def _classifier(run: Run) -> Any:
    path = files.model(run.id)
    if not path.is_file() or not run.result.get("class_names"):
        raise RunError(
            f"Run {run.id} is {run.status} and has no model to export.",
            "Choose a run that has finished.",
        )
    # Checked against what the run should be before anything is loaded from it.
    size = image_size(run.config) if is_known(run.config.backbone) else None
    classifier = model.load(path, len(run.result["class_names"]), size)
    return formats.calibrate(classifier, float(run.result.get("temperature") or 1.0))


def _pixels(
    chosen: list[Image], size: tuple[int, int], run: Run
) -> list[NDArray[np.float32]]:
    paths = [library.image_path(one.sha256) for one in chosen]
    how = size, run.rendering, run.config.resizing
    return [renderings.decode(path, *how).astype(np.float32) for path in paths]


def _description(
    order: Order, revision: Revision, size: tuple[int, ...]
) -> dict[str, Any]:
    """What model.json says: all that one needs to use the model elsewhere."""
    run, class_names = order.run, list(order.run.result["class_names"])
    height, width = size
    return {
        "name": run.name,
        "run": run.id,
        "format": order.chosen.name,
        "quantize": order.quantize,
        "file": order.chosen.file,
        "class_names": class_names,
        "input": {
            "name": "image",
            "shape": [None, height, width, 3],
            "dtype": "float32",
            "values": _values(revision.kind),
        },
        "output": {
            "name": "probabilities",
            "shape": [None, len(class_names)],
            "dtype": "float32",
            "values": "calibrated probabilities in the order of class_names",
        },
        "preprocessing": _preprocessing(run, (height, width)),
        "temperature": float(run.result.get("temperature") or 1.0),
        "threshold": results.threshold(run.id) or None,
        "dataset": {
            "name": revision.title,
            "revision": revision.id,
            "images": revision.counts(),
        },
        "config": run.config.model_dump(mode="json"),
        "metrics": card.metrics(run, revision),
        "versions": _versions(order.chosen, revision.kind),
    }


def _values(kind: Kind) -> str:
    if kind == "sounds":
        return "a spectrogram, 0 for the floor to 255 for the loudest, three times"
    return "red, green, blue from 0 to 255; the model scales them itself"


def _preprocessing(run: Run, size: tuple[int, ...]) -> dict[str, Any]:
    """What model.json says of how a file becomes the model's input."""
    height, width = size
    if isinstance(run.rendering, Spectrogram):
        return {
            "program": "sounds/, whose drawing.py has the function `draw`",
            "channels": "mixed to mono",
            "spectrogram": run.rendering._asdict(),
            "mel": "Slaney's scale and areas, Hann window, as librosa computes them",
            "loudest": "white; the floor lies so many decibels below it",
            "resize": {"height": height, "width": width, "filter": "bilinear"},
        }
    return {
        "program": "decoding.py, with what it needs of pixels/",
        "orientation": "upright, as EXIF says",
        "colours": "RGB, 8 bits; alpha on white",
        # Black and white in greys of more than 8 bits; null: each picture's own.
        "grey": run.result.get("grey"),
        "resize": {
            "height": height,
            "width": width,
            "resizing": run.config.resizing,
            "how": HOW[run.config.resizing],
            "border": resize.BORDER if run.config.resizing == "fit" else None,
            "filter": "Pillow BILINEAR with reducing_gap 3.0",
            "jpeg": "decoded at reduced scale (Pillow draft), never below "
            "what it becomes",
        },
    }


def _versions(chosen: catalogue.Format, kind: Kind) -> dict[str, str]:
    # Besides what runs it, what made it: whoever finds a difference needs both.
    made_with = {"keras", "tensorflow", *programs.READERS[kind], *chosen.packages}
    return {name: metadata.version(name) for name in sorted(made_with)}


def _labels(class_names: Sequence[str]) -> str:
    """One line a class, also of old datasets whose names have line breaks."""
    return "".join(f"{names.showable(one)}\n" for one in class_names)


def _write_golden(
    folder: Path, order: Order, chosen: list[Image], own: NDArray[np.float32]
) -> None:
    golden = folder / "golden"
    golden.mkdir()
    listed = []
    for number, (image, row) in enumerate(zip(chosen, own, strict=True), 1):
        # Numbered, since two folders may hold pictures of one name.
        name = f"{number:02}{Path(image.path).suffix.lower()}"
        shutil.copyfile(library.image_path(image.sha256), golden / name)
        listed.append(
            {
                "file": name,
                "sha256": image.sha256,
                "class_name": order.run.result["class_names"][image.label],
                "probabilities": [float(one) for one in row],
            }
        )
    expected = {
        "tolerance": catalogue.TOLERANCES.get(order.quantize),
        "smallest_agreement": catalogue.smallest_agreement(order.quantize, len(listed)),
        "images": listed,
    }
    _write_json(golden / "expected.json", expected)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _zip(folder: Path, tell: Callable[[str], None]) -> Path:
    """The folder as a zip beside it, with the folder's name inside."""
    tell("packing it into a zip")
    path = folder.with_name(f"{folder.name}.zip")
    written = path.with_name(f".{path.name}.part")
    try:
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
            for one in sorted(folder.rglob("*")):
                # Below a folder of its own, or unpacking would strew files about.
                archive.write(one, Path(folder.name) / one.relative_to(folder))
        os.replace(written, path)
    finally:  # half of one would fill the disk further
        written.unlink(missing_ok=True)
    return path
