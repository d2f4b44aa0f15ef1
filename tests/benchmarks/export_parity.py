"""Exported files against the app: bundles on their own, then every family of backbones.

    python -m tests.benchmarks.export_parity [--formats onnx,litert] [--images 500]

A run on flower_photos with MobileNetV2 0.35 is exported in every format and
quantisation. Each zip is unpacked, its requirements.txt and nothing else installed in a
fresh virtual environment (pip needs a network), its verify.py run there, and its
predict.py asked about val images, of which half are turned into awkward ones: stored on
their side, CMYK, palette, 16 bits, very wide. The answers are compared with the app's.

    python -m tests.benchmarks.export_parity --families [Xception,ResNet]

The smallest backbone of every family, with random weights at 96 px, on 60 val images,
in every format as float32 and in LiteRT as int8; what is told is the certificate of the
export itself, so predict.py runs in this environment.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from tests.benchmarks import bench
from transfer.backbones.catalogue import BACKBONES, Backbone
from transfer.datasets import library
from transfer.errors import RunError
from transfer.export import catalogue

#: Height and width in pixels of the families' models, and photographs of each class
#: that they learn from and are tried on, a fifth of them val.
FAMILY_SIZE, FAMILY_IMAGES = 96, 60
#: The second half of each group of this many pictures is made awkward.
GROUP = 10


def on_its_side(photo: Image.Image, path: Path) -> Path:
    """Stored turned, with the EXIF orientation that brings it upright."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    photo.rotate(90, expand=True).save(path.with_suffix(".jpg"), exif=exif)
    return path.with_suffix(".jpg")


def cmyk(photo: Image.Image, path: Path) -> Path:
    """A JPEG in the colours of print."""
    photo.convert("CMYK").save(path.with_suffix(".jpg"))
    return path.with_suffix(".jpg")


def palette(photo: Image.Image, path: Path) -> Path:
    """A PNG of 64 colours."""
    photo.quantize(64).save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def deep(photo: Image.Image, path: Path) -> Path:
    """A PNG of 16 bits of grey."""
    grey = np.asarray(photo.convert("L"), np.uint16) * 257
    Image.fromarray(grey).save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def very_wide(photo: Image.Image, path: Path) -> Path:
    """Forty times as wide as high."""
    ImageOps.fit(photo, (4000, 100)).save(path.with_suffix(".jpg"))
    return path.with_suffix(".jpg")


AWKWARD: dict[str, Callable[[Image.Image, Path], Path]] = {
    "on its side": on_its_side,
    "CMYK": cmyk,
    "palette": palette,
    "16 bits": deep,
    "very wide": very_wide,
}


def pictures(folder: Path, count: int) -> list[Path]:
    """Files of val images of `flowers`, half of them made awkward."""
    val = sorted(library.load("flowers").of_split("val"), key=lambda one: one.sha256)
    paths = [library.image_path(one.sha256) for one in val[:count]]
    folder.mkdir()
    kinds = [None] * (GROUP - len(AWKWARD)) + list(AWKWARD.values())
    for number, path in enumerate(paths):
        if make := kinds[number % GROUP]:
            with Image.open(path) as photo:
                paths[number] = make(photo.convert("RGB"), folder / f"{number:04}")
    return paths


def fresh_python(folder: Path, requirements: Path) -> str:
    """The Python of a new virtual environment that holds only these requirements."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "-r", str(requirements)]
    subprocess.run([*pip, "--disable-pip-version-check"], check=True)
    return str(python)


def verify(python: str, bundle: Path) -> str:
    """What verify.py says in the end, in this Python."""
    command = [python, "-I", "verify.py"]
    done = subprocess.run(command, cwd=bundle, capture_output=True, text=True)
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return f"{lines[-1]} ({done.returncode})"


def smallest_of_each_family() -> list[Backbone]:
    """One backbone per family."""
    ordered = sorted(BACKBONES.values(), key=lambda one: one.parameters)
    return list({one.family: one for one in reversed(ordered)}.values())


def train(folder: Path, *options: str) -> str:
    """The id of a finished run on the dataset `flowers`."""
    command = ("train", "--dataset", "flowers", "--method", "instant", *options)
    return str(bench.transfer(folder, *command)["run"])


def own_answers(run: str, paths: list[Path]) -> NDArray[np.float32]:
    """The app's probabilities."""
    from transfer.prediction import models  # noqa: PLC0415  after TRANSFER_HOME is set

    return models.load(run).probabilities(list(paths))


def export(folder: Path, run: str, name: str, quantize: str) -> Path:
    """The unpacked zip of an export, as somebody gets it who has nothing else."""
    output = folder / "exports" / f"{run}-{name}-{quantize}"
    options = ("--format", name, "--quantize", quantize, "--output", str(output))
    made = bench.transfer(folder, "export", run, *options, "--zip")
    with zipfile.ZipFile(made["zip"]) as archive:
        archive.extractall(folder / "elsewhere")
    return folder / "elsewhere" / output.name


def compare(
    folder: Path, run: str, formats: list[str], paths: list[Path]
) -> Iterator[dict[str, Any]]:
    """A row for each format and quantisation, each in an environment of its own."""
    from transfer.export import parity  # noqa: PLC0415  after TRANSFER_HOME is set

    own = own_answers(run, paths)
    for name in formats:
        for quantize in catalogue.FORMATS[name].quantizations:
            bundle = export(folder, run, name, quantize)
            with tempfile.TemporaryDirectory() as room:
                needs = bundle / "requirements.txt"
                python = fresh_python(Path(room) / "venv", needs)
                said = verify(python, bundle)
                found = parity.certify(
                    bundle, paths, own, quantize=quantize, split="val", python=python
                )
            row = {"format": name, "numbers": numbers(quantize), "verify.py": said}
            yield row | figures(found.to_json())


def numbers(quantize: str) -> str:
    """The quantisation as people call it."""
    return "float32" if quantize == "none" else quantize


def figures(certificate: dict[str, Any]) -> dict[str, Any]:
    """What the table says of a certificate."""
    return {
        "images": certificate["images"],
        "largest_difference": certificate["largest_difference"],
        "agreement": certificate["agreement"],
        "agrees": certificate["agrees"],
        "MB": certificate["bytes"] / 1e6,
        "ms_per_image": certificate["milliseconds_per_image"],
        "differing": " ".join(one["file"][:12] for one in certificate["differing"]),
    }


def of_family(
    folder: Path, backbone: Backbone, formats: list[str]
) -> Iterator[dict[str, Any]]:
    """A row for each format; what cannot be exported is told as well."""
    from transfer.export import bundle  # noqa: PLC0415  after TRANSFER_HOME is set
    from transfer.store.runs import Store  # noqa: PLC0415

    options = ("--weights", "random", "--image-size", str(FAMILY_SIZE))
    run = Store().get(train(folder, "--backbone", backbone.name, *options))
    for name in formats:
        chosen = catalogue.FORMATS[name]
        for quantize in sorted({"none", "int8"} & {*chosen.quantizations}):
            row = {"model": backbone.name, "format": name, "numbers": numbers(quantize)}
            order = bundle.Order(run=run, chosen=chosen, quantize=quantize)
            output = folder / "exports" / f"{run.id}-{name}-{quantize}"
            try:
                row |= figures(bundle.write(order, output)["parity"])
            except RunError as error:  # the others are still told
                row["failed"] = str(error)[-200:]
            print(row, flush=True)
            yield row


def main() -> None:
    """Exports, compares and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--formats", default=",".join(catalogue.FORMATS))
    parser.add_argument("--families", nargs="?", const="", metavar="NAMES")
    args = parser.parse_args()
    formats = args.formats.split(",")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(bench.environment(folder))
        if args.families is None:
            bench.import_flowers(folder)
            run = train(folder, "--backbone", "mobilenet_v2_035")
            paths = pictures(folder / "awkward", args.images)
            bench.tell("export_parity", [*compare(folder, run, formats, paths)])
            return
        few = some_flowers(folder)
        bench.transfer(folder, "import", str(few), "--name", "flowers")
        wanted = [one for one in args.families.split(",") if one]
        rows: list[dict[str, Any]] = []
        for backbone in smallest_of_each_family():
            if not wanted or backbone.family in wanted:
                rows += of_family(folder, backbone, formats)
        bench.tell("export_families", rows)


def some_flowers(folder: Path) -> Path:
    """A folder with the first photographs of each class."""
    for flower in bench.flowers(folder / "photos").iterdir():
        if flower.is_dir():
            (folder / "few" / flower.name).mkdir(parents=True)
            for photo in sorted(flower.glob("*.jpg"))[:FAMILY_IMAGES]:
                shutil.copy(photo, folder / "few" / flower.name)
    return folder / "few"


if __name__ == "__main__":
    main()
