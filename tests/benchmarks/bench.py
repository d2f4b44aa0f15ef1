"""What all benchmarks share: data, weights, workspaces, and how results are told.

The data and the weights lie beside the project in `../shared`; a benchmark that needs
one ends with a message where it is missing.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transfer.datasets import library

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"


def data(name: str) -> Path:
    """A file of data beside the project; without it the benchmark ends."""
    path = SHARED / "data" / name
    if not path.exists():
        sys.exit(f"This benchmark needs {path}.")
    return path


def flowers(folder: Path) -> Path:
    """flower_photos, unpacked below `folder`: one folder per class."""
    with zipfile.ZipFile(data("flower_photos.zip")) as photos:
        photos.extractall(folder)
    return next(path.parent.parent for path in folder.rglob("*.jpg"))


def import_flowers(folder: Path, seed: int = 0) -> float:
    """Seconds of the import of flower_photos' folder as the dataset `flowers`."""
    source = flowers(folder / "photos")
    start = time.perf_counter()
    transfer(folder, "import", str(source), "--name", "flowers", "--seed", str(seed))
    return time.perf_counter() - start


def split(folder: Path) -> Path:
    """A folder with the `train` and `val` of the dataset `flowers`, for plain Keras."""
    revision = library.load("flowers")
    for image in revision.images:
        name = revision.class_names[image.label]
        target = folder / "split" / image.split / name / f"{image.sha256}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library.image_path(image.sha256), target)
    return folder / "split"


def keras_home(folder: Path) -> Path:
    """A folder for Keras with the weights that lie beside the project."""
    # A folder of its own, so that nothing that was fetched before helps along.
    models = folder / "keras" / "models"
    models.mkdir(parents=True, exist_ok=True)
    for weights in SHARED.glob("weights/*.h5"):
        shutil.copy(weights, models)
    return models.parent


def environment(folder: Path) -> dict[str, str]:
    """The environment of a fresh workspace below `folder`."""
    return {
        **os.environ,
        "TRANSFER_HOME": str(folder / "workspace"),
        "KERAS_HOME": str(keras_home(folder)),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(ROOT),
    }


def transfer(folder: Path, *arguments: str) -> dict[str, Any]:
    """The JSON of `python -m transfer …` in the workspace below `folder`."""
    # A process of its own, as a user would start it, with its start and its imports.
    command = [sys.executable, "-m", "transfer", *arguments, "--json"]
    done = subprocess.run(
        command, env=environment(folder), cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return dict(json.loads(done.stdout))


def run_timed(*command: str, folder: Path) -> tuple[float, dict[str, Any]]:
    """Seconds of a whole process, and the JSON on the last line that it printed."""
    start = time.perf_counter()
    done = subprocess.run(
        command, env=environment(folder), cwd=ROOT, capture_output=True, text=True
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return seconds, dict(json.loads(done.stdout.strip().splitlines()[-1]))


def tell(name: str, rows: Sequence[Mapping[str, Any]], **facts: Any) -> None:
    """Prints a table and writes it as `.benchmarks/NAME.json`."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [columns, *([_text(row.get(c)) for c in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for line in cells:
        print(
            "  ".join(
                cell.ljust(width) for cell, width in zip(line, widths, strict=True)
            )
        )
    # Figures of two machines must not be taken for those of one.
    machine = {"cores": os.cpu_count(), "processor": platform.processor()}
    result = {"benchmark": name, "machine": machine, **facts, "rows": list(rows)}
    path = ROOT / ".benchmarks" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
