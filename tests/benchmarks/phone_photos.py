"""Decoding of 12-megapixel JPEGs to 224 px: at reduced scale, and in full.

`python -m tests.benchmarks.phone_photos [--images 12]`. The photographs are flowers
enlarged to 4032 × 3024 with noise added, quality 90. Features of both are compared
with MobileNetV2 0.35 and ImageNet weights: the largest angle between the two ways is
told beside the smallest between different photographs.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.benchmarks import bench
from transfer.classifier import model as classifier
from transfer.datasets import decoding

SIZE = (4032, 3024)


def main() -> None:
    """Makes the photographs, decodes them both ways and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=12)
    count = parser.parse_args().images
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(bench.environment(folder))
        paths = _photographs(folder, count)
        start = time.perf_counter()
        quick = np.stack([decoding.decode(path, (224, 224)) for path in paths])
        middle = time.perf_counter()
        full = np.stack([_in_full(path) for path in paths])
        end = time.perf_counter()
        model = classifier.pooled_backbone("mobilenet_v2_035", "imagenet")
    # As a network sees them: pixels may differ where nothing is to be seen.
    features = [_directions(model.predict(x.astype("f4"))) for x in (quick, full)]
    same = float((features[0] * features[1]).sum(1).min())
    others = features[1] @ features[1].T - np.eye(count)
    row = {
        "reduced scale, ms": (middle - start) / count * 1000,
        "in full, ms": (end - middle) / count * 1000,
        "ratio": (end - middle) / (middle - start),
        "largest angle, degrees": float(np.degrees(np.arccos(min(same, 1)))),
        "smallest to another, degrees": float(np.degrees(np.arccos(others.max()))),
        "mean grey levels apart": float(np.abs(quick.astype(int) - full).mean()),
    }
    bench.tell("phone_photos", [row], images=count)


def _photographs(folder: Path, count: int) -> list[Path]:
    sources = sorted(bench.flowers(folder / "photos").rglob("*.jpg"))
    random = np.random.default_rng(0)
    paths = []
    for number, source in enumerate(sources[:: len(sources) // count][:count]):
        with Image.open(source) as image:
            large = np.asarray(image.resize(SIZE, Image.Resampling.BICUBIC), np.int16)
        # An enlarged picture is smooth, and would decode faster than a photograph.
        noisy = large + random.integers(-8, 9, large.shape, np.int16)
        paths.append(folder / f"{number}.jpg")
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(paths[-1], quality=90)
    return paths


def _in_full(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        small = image.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
        return np.asarray(small)


def _directions(features: NDArray[np.float32]) -> NDArray[np.float32]:
    return features / np.linalg.norm(features, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
