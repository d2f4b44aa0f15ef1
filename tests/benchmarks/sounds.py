"""Spoken digits: speakers mixed, and each of three speakers left out in turn.

`python -m tests.benchmarks.sounds [--ways NAMES] [--sets NAMES] [--seed 0]` on
`spoken_digits.zip`: the head alone, with the last stage of the backbone unfrozen, and a
linear model on the same spectrograms, whose strength is chosen on val. Val is a fifth
of the recordings of the speakers that are learnt from; nothing is chosen by the one
left out. `--sets signals` are the sample of tones and rhythms instead, half of them
test. Each result is a line of `.benchmarks/sounds.jsonl`; what is there is not
measured again. `--rate` measures the import alone.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks import bench

FOLDER = bench.ROOT / ".benchmarks" / "sounds"
LINES = FOLDER.with_suffix(".jsonl")
SETS = ("mixed", "speaker1", "speaker2", "speaker3")
VIEWS = "voice,shift,noise,gain,masks"
#: Settings of each way in place of the defaults.
WAYS: dict[str, dict[str, Any]] = {
    "linear": {},
    "instant": {"method": "instant"},
    "head only": {},
    "unfrozen": {"freeze": "last:6", "augmentation": VIEWS},
    "all unfrozen": {"freeze": "none", "augmentation": VIEWS, "views": 0},
}


def main() -> None:
    """Measures what is not measured yet, and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ways", default="linear,head only,unfrozen")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--seed", type=int, default=0, help="of split and run")
    parser.add_argument("--settings", default="{}", help="in place of the defaults")
    parser.add_argument("--rate", action="store_true", help="measure the import alone")
    args = parser.parse_args()
    os.environ.update(bench.environment(FOLDER))
    if args.rate:
        bench.tell("sounds_import", list(import_rates()))
        return
    for way in args.ways.split(","):
        for name in args.sets.split(","):
            settings = {"seed": args.seed, **json.loads(args.settings)}
            key = {"set": name, "way": way, "settings": settings}
            if not any(key.items() <= one.items() for one in read()):
                line = {**key, **measure(key)}
                print(line, flush=True)
                with LINES.open("a") as file:
                    file.write(json.dumps(line) + "\n")
    bench.tell("sounds", list(rows(read())))


def read() -> list[dict[str, Any]]:
    """What is measured already."""
    if not LINES.exists():
        return []
    return [json.loads(line) for line in LINES.read_text().splitlines()]


def write(name: str, folder: Path) -> Path:
    """The digits as folders; of a speaker who is left out as `test`."""
    with zipfile.ZipFile(bench.data("spoken_digits.zip")) as digits:
        for member in digits.namelist():
            digit, file = member.split("/")
            part = "test" if file.startswith(name) else "train"
            target = folder / ("" if name == "mixed" else part) / digit / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(digits.read(member))
    return folder


def dataset(name: str, seed: int) -> str:
    """The dataset of this set, split into train and val by the seed."""
    from transfer.datasets import library  # noqa: PLC0415
    from transfer.datasets.ingest import sounds  # noqa: PLC0415

    called = f"{name} {seed}"
    if name == "signals" and called not in library.all_names():
        sounds.import_sample(name, called, seed=seed, test=0.5)
    elif called not in library.all_names():
        with tempfile.TemporaryDirectory() as folder:
            sounds.import_sounds(write(name, Path(folder)), called, seed=seed)
    return called


def measure(key: dict[str, Any]) -> dict[str, Any]:
    """Right answers of val and of test, and seconds."""
    from transfer.datasets import library  # noqa: PLC0415  reads the environment

    name = dataset(key["set"], key["settings"]["seed"])
    revision = library.load(name)
    start = time.perf_counter()
    if key["way"] == "linear":
        return {**linear(revision), "seconds": time.perf_counter() - start}
    from transfer.backbones import weights  # noqa: PLC0415
    from transfer.config import TrainConfig  # noqa: PLC0415
    from transfer.training import train  # noqa: PLC0415
    from transfer.training.listener import Listener  # noqa: PLC0415

    settings = {**WAYS[key["way"]], **key["settings"]}
    settings.setdefault("backbone", weights.default_backbone("sounds"))
    config = TrainConfig.of(dataset=name, **settings)
    config.check_kind(revision.kind)
    trained = train.train(config, revision, Listener())
    seconds = time.perf_counter() - start
    found = {"val": trained.best.accuracy, "seconds": seconds}
    if of_test := revision.of_split("test"):
        pixels = draw(of_test, revision, trained.model.input_shape[1])
        said = trained.model.predict(pixels, batch_size=64, verbose=0).argmax(1)
        found["test"] = float((said == labels(of_test)).mean())
    return found


def draw(images: Sequence[Any], revision: Any, size: int) -> NDArray[np.uint8]:
    """The spectrograms `(images, size, size, 3)`."""
    from transfer.datasets import library, renderings  # noqa: PLC0415

    how = (size, size), revision.rendering
    paths = [library.image_path(one.sha256) for one in images]
    return np.stack([renderings.decode(path, *how) for path in paths])


def labels(images: Sequence[Any]) -> NDArray[np.int64]:
    """Their label indices."""
    return np.array([one.label for one in images])


def linear(revision: Any) -> dict[str, Any]:
    """Logistic regression on the pixels of spectrograms of 40 x 40."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    of = {split: revision.of_split(split) for split in ("train", "val", "test")}
    # One channel where all are alike: the others would say the same once more.
    channels = slice(1 if revision.sound.finer == 1 else 3)
    seen = {
        split: draw(images, revision, 40)[..., channels].reshape(len(images), -1) / 255
        for split, images in of.items()
        if images
    }
    best: dict[str, Any] = {"val": -1.0}
    for strength in (1e-3, 1e-2, 1e-1, 1.0, 10.0):
        model = LogisticRegression(C=strength, max_iter=500)
        model.fit(seen["train"], labels(of["train"]))
        right = {s: model.score(x, labels(of[s])) for s, x in seen.items()}
        if right["val"] > best["val"]:
            best = {**right, "strength": strength}
    del best["train"]
    return best


def import_rates() -> Iterable[dict[str, Any]]:
    """Seconds of sound that an import takes in each second, whole process."""
    import soundfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        clips = write("mixed", folder / "digits")
        random = np.random.default_rng(0)
        for name in ("a", "b"):
            (folder / "long" / name).mkdir(parents=True)
            noise = 0.1 * random.standard_normal(44_100 * 600)
            for number in range(2):
                path = folder / "long" / name / f"{number}.wav"
                soundfile.write(str(path), np.roll(noise, number), 44_100)
        for name, path, more in (
            ("1,500 digits, 8 kHz", clips, []),
            ("4 of 10 minutes, 44.1 kHz", folder / "long", ["--window", "5"]),
        ):
            lengths = [soundfile.info(str(x)).duration for x in path.rglob("*.wav")]
            start = time.perf_counter()
            words = ["import", str(path), "--name", "rate", "--kind", "sounds", *more]
            bench.transfer(folder, *words)
            seconds = time.perf_counter() - start
            yield {
                "recordings": name,
                "seconds of sound": sum(lengths),
                "seconds": seconds,
                "rate": sum(lengths) / seconds,
            }
            shutil.rmtree(folder / "workspace")


def rows(measured: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Each way's val with speakers mixed, and test with each left out."""
    kinds = [{k: one[k] for k in ("way", "settings")} for one in measured]
    for kind in [one for at, one in enumerate(kinds) if one not in kinds[:at]]:
        of = {one["set"]: one for one in measured if kind.items() <= one.items()}
        tests = [of[name]["test"] for name in SETS[1:] if name in of]
        yield {
            **kind,
            "mixed, val": of.get("mixed", {}).get("val"),
            **{name: of.get(name, {}).get("test") for name in (*SETS[1:], "signals")},
            "left out, mean": float(np.mean(tests)) if tests else None,
            "seconds": float(np.mean([one["seconds"] for one in of.values()])),
        }


if __name__ == "__main__":
    sys.exit(main())
