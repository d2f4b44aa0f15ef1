"""What the doctor finds where it is known what is wrong, and how long it takes.

`python -m tests.benchmarks.doctor [--seeds 3] [--only labels,copies] [--large 500]`, on
features of the default backbone. `labels`: labels of flower_photos and of the digits
swapped, 5 % and 30 %. `copies`: 500 pictures changed and put among flower_photos.
`shortcuts`: one class of 500 flowers resized, saved anew, framed or dated, or none, in
20 seeds. `bursts`: a split of bursts at random, before and after it is mended, against
pictures never seen. `whole`: the command, from nothing; with `--large 500` on 100,000
images of 64 pixels too.
"""

import argparse
import io
import json
import os
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageOps
from sklearn.metrics import roc_auc_score

from tests.benchmarks import bench
from transfer.backbones import weights
from transfer.classifier import closed_form
from transfer.classifier.sight import see_with
from transfer.datasets import library
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.doctor import (
    begin,
    copies,
    examine,
    groups,
    labels,
    looks,
    report,
    shortcuts,
    similar,
)

Row = dict[str, Any]
Change = Callable[[Image.Image, random.Random], bytes]

#: Changed pictures among the flowers, and of each class in a try of shortcuts.
PLANTED, OF_A_CLASS = 500, 100
#: Seeds of a try of shortcuts, and frames of a burst.
TRIES, FRAMES = 20, 4


def main() -> None:
    """Measures and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tries", type=int, default=TRIES)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--large", type=int, default=0, help="images a class, to 500")
    parser.add_argument("--stages", help="for this program itself")
    args = parser.parse_args()
    if args.stages:
        print(json.dumps(tell_stages(args.stages)))
        return
    with tempfile.TemporaryDirectory() as name:
        os.environ.update(bench.environment(Path(name)))
        flowers = bench.flowers(Path(name) / "photos")
        for part in args.only.split(","):
            rows = [*PARTS[part](Path(name), flowers, args)]
            bench.tell(f"doctor_{part}", rows)


def measure_labels(folder: Path, flowers: Path, args: Any) -> Iterator[Row]:
    """Area under the curve, and what the list holds."""
    sets = {
        "flowers": importer.import_path(flowers, "flowers"),
        "digits": importer.import_sample("digits", "digits"),
    }
    for name, made in sets.items():
        features = _features(made, folder)
        truth = np.array([image.label for image in made.images], np.int32)
        for share in (0.05, 0.3):
            found = [_swap(features, truth, share, seed) for seed in range(args.seeds)]
            columns = {key: [row[key] for row in found] for key in found[0]}
            means = {key: statistics.mean(some) for key, some in columns.items()}
            yield {
                "set": name,
                "swapped": share,
                **means,
                "lowest": min(columns["auc"]),
            }


def _swap(features: Any, truth: Any, share: float, seed: int) -> Row:
    chance = np.random.default_rng(seed)
    classes = int(truth.max()) + 1
    wrong = chance.random(len(truth)) < share
    other = (truth + chance.integers(1, classes, len(truth))) % classes
    given = np.where(wrong, other, truth).astype(np.int32)
    start = time.perf_counter()
    head = closed_form.fit(features, given, classes)
    answers = labels.probabilities_left_out(head, features, given, classes)
    found = labels.suspect(given, answers)
    return {
        "auc": float(roc_auc_score(wrong, -found.quality)),
        "listed": len(found.positions),
        "of them swapped": float(wrong[found.positions].mean()),
        "of the swapped": float(wrong[found.positions].sum() / wrong.sum()),
        "seconds": time.perf_counter() - start,
    }


def _save(image: Image.Image, quality: int = 90, **more: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, **more)
    return buffer.getvalue()


def _resave(image: Image.Image, chance: random.Random) -> bytes:
    share = chance.uniform(0.4, 0.95)
    size = [max(8, round(side * share)) for side in image.size]
    return _save(image.resize((size[0], size[1])), chance.randint(40, 90))


def _crop(share: float) -> Change:
    def change(image: Image.Image, chance: random.Random) -> bytes:
        width, height = (round(side * (1 - share)) for side in image.size)
        left = chance.randint(0, image.width - width)
        top = chance.randint(0, image.height - height)
        return _save(image.crop((left, top, left + width, top + height)))

    return change


def _turn(image: Image.Image, chance: random.Random) -> bytes:
    return _save(image.rotate(chance.choice((-10, 10)), Image.Resampling.BILINEAR))


def _colour(image: Image.Image, chance: random.Random) -> bytes:
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(chance.uniform(0.6, 1.4))
    return _save(image)


CHANGES: dict[str, Change] = {
    "saved anew, smaller": _resave,
    "cropped by 5 %": _crop(0.05),
    "cropped by 10 %": _crop(0.1),
    "cropped by 15 %": _crop(0.15),
    "cropped by 20 %": _crop(0.2),
    "mirrored": lambda image, _: _save(ImageOps.mirror(image)),
    "turned by 10°": _turn,
    "colours changed": _colour,
}


def measure_copies(folder: Path, flowers: Path, args: Any) -> Iterator[Row]:
    """Recall of each change, and the precision of all."""
    for seed in range(args.seeds):
        place = folder / f"copies-{seed}"
        shutil.copytree(flowers, place)
        family, kind = _plant(place, seed)
        made = importer.import_path(place, f"copies-{seed}")
        paths = [image.path for image in made.images]
        seen = _looks(made, folder)
        features = _features(made, folder)
        given = np.array([image.label for image in made.images], np.int32)
        start = time.perf_counter()
        found = copies.find(similar.project(features), seen.greys, given)
        seconds = time.perf_counter() - start
        cluster = copies.clusters(found, len(paths))
        at = {path: number for number, path in enumerate(paths)}
        hits, of = Counter[str](), Counter[str]()
        for path, original in family.items():
            if path in at and original in at:
                of[kind[path]] += 1
                hits[kind[path]] += cluster[at[path]] == cluster[at[original]]
        # Of pairs with a changed picture: those among the others are bursts and
        # pictures that came twice, which are looked at by eye.
        root = {path: family.get(path, path) for path in paths}
        right = wrong = natural = 0
        for one, other in zip(found.first, found.second, strict=True):
            pair = paths[one], paths[other]
            if not any(path in family for path in pair):
                natural += 1
            elif cluster[at[root[pair[0]]]] == cluster[at[root[pair[1]]]] and (
                root[pair[0]] == root[pair[1]]
                or _are_a_pair(found, at[root[pair[0]]], at[root[pair[1]]])
            ):
                right += 1
            else:
                wrong += 1
        row = {"seed": seed, "precision": right / (right + wrong), "wrong": wrong}
        row |= {name: hits[name] / of[name] for name in CHANGES}
        row["all"] = hits.total() / of.total()
        yield {**row, "others": natural, "seconds": seconds}


def _are_a_pair(found: copies.Copies, one: int, other: int) -> bool:
    low, high = min(one, other), max(one, other)
    return bool(((found.first == low) & (found.second == high)).any())


def _plant(place: Path, seed: int) -> tuple[dict[str, str], dict[str, str]]:
    """Adds changed pictures; of each the path of its original, and its change."""
    chance = random.Random(seed)  # noqa: S311
    originals = chance.sample(sorted(place.rglob("*.jpg")), PLANTED)
    family, kind = {}, {}
    for number, path in enumerate(originals):
        name = [*CHANGES][number % len(CHANGES)]
        with Image.open(path) as image:
            content = CHANGES[name](image.convert("RGB"), chance)
        changed = path.with_name(f"changed-{number:03}.jpg")
        changed.write_bytes(content)
        relative = f"{changed.parent.name}/{changed.name}"
        family[relative] = f"{path.parent.name}/{path.name}"
        kind[relative] = name
    return family, kind


def _date(image: Image.Image, day: int, quality: int = 90) -> bytes:
    exif = Image.Exif()
    exif[306] = f"2024:{1 + day // 28:02}:{1 + day % 28:02} 12:00:00"
    return _save(image, quality, exif=exif)


def _frame_in(colour: str, image: Image.Image, day: int) -> bytes:
    return _date(ImageOps.expand(image, 6, colour), day)


#: What is done to a picture of the class that was taken on a day of the year.
PLANTS: dict[str, Callable[[Image.Image, int], bytes]] = {
    "none": _date,
    "one class resized": lambda image, day: _date(image.resize((224, 224)), day),
    "one class saved anew": lambda image, day: _date(image, day, 60),
    "one class framed": lambda image, day: _frame_in("black", image, day),
    "one class dated": lambda image, _: _date(image, 3),
    "one class framed in another colour": lambda image, day: _frame_in(
        "navy", image, day
    ),
}
#: What is done to the pictures of all other classes, where that is anything.
OTHERS: dict[str, Callable[[Image.Image, int], bytes]] = {
    "one class framed in another colour": lambda image, day: _frame_in(
        "black", image, day
    )
}


def measure_shortcuts(folder: Path, flowers: Path, args: Any) -> Iterator[Row]:
    """In how many tries a shortcut of the class is claimed."""
    claimed, right = Counter[str](), Counter[str]()
    for seed in range(args.tries):
        place = folder / "shortcut"
        for plant, change in PLANTS.items():
            if plant in OTHERS:
                shutil.rmtree(place)  # they are others than those of the last plant
            hit = _plant_shortcut(
                flowers, place, change, seed, OTHERS.get(plant, _date)
            )
            made = importer.import_path(place, f"try-{plant}-{seed}".replace(" ", "-"))
            found = shortcuts.findings(made, _looks(made, folder))
            claimed[plant] += bool(found)
            right[plant] += any(one.images[0].class_name == hit for one in found)
        shutil.rmtree(place)
        print(f"{seed + 1} tries: {dict(claimed)}", file=sys.stderr)
    for plant in PLANTS:
        row = {"planted": plant, "tries": args.tries, "claimed": claimed[plant]}
        yield {**row, "of that class": None if plant == "none" else right[plant]}


def _plant_shortcut(
    flowers: Path,
    place: Path,
    change: Callable[[Image.Image, int], bytes],
    seed: int,
    other: Callable[[Image.Image, int], bytes],
) -> str:
    """Writes some flowers, or of them only the class that is changed; its name."""
    chance = random.Random(seed)  # noqa: S311
    names = sorted(path.name for path in flowers.iterdir() if path.is_dir())
    hit = chance.choice(names)
    for name in names:
        some = chance.sample(sorted((flowers / name).glob("*.jpg")), OF_A_CLASS)
        days = [chance.randrange(28 * 12) for _ in some]
        if name != hit and (place / name).exists():
            continue
        (place / name).mkdir(parents=True, exist_ok=True)
        for path, day in zip(some, days, strict=True):
            with Image.open(path) as image:
                content = (change if name == hit else other)(image.convert("RGB"), day)
            (place / name / path.name).write_bytes(content)
    return hit


def measure_bursts(folder: Path, flowers: Path, args: Any) -> Iterator[Row]:
    """Accuracy of a linear head as val has it, and on pictures never seen."""
    for seed in range(args.seeds):
        chance = random.Random(seed)  # noqa: S311
        for path in sorted(flowers.rglob("*.jpg")):
            if chance.random() < 0.6:
                continue
            with Image.open(path) as image:
                picture = image.convert("RGB")
            is_new = chance.random() < 0.5
            place = folder / ("unseen" if is_new else "bursts") / path.parent.name
            place.mkdir(parents=True, exist_ok=True)
            for frame in range(1 if is_new else FRAMES):
                content = _frame(picture, chance)
                (place / f"{chance.randrange(10**9):09}-{frame}.jpg").write_bytes(
                    content
                )
        made = importer.import_path(folder / "bursts", f"bursts-{seed}", seed=seed)
        new = importer.import_path(folder / "unseen", f"unseen-{seed}", val=0)
        for name in ("bursts", "unseen"):
            shutil.rmtree(folder / name)
        row = {"seed": seed, **_mend(made, new, folder)}
        print(row, file=sys.stderr)
        yield row


def _frame(picture: Image.Image, chance: random.Random) -> bytes:
    """The next picture of a burst: a little moved, a little lighter or darker."""
    width, height = (round(side * 0.95) for side in picture.size)
    left = chance.randint(0, picture.width - width)
    top = chance.randint(0, picture.height - height)
    moved = picture.crop((left, top, left + width, top + height))
    return _save(ImageEnhance.Brightness(moved).enhance(chance.uniform(0.9, 1.1)))


def _mend(made: Revision, new: Revision, folder: Path) -> Row:
    features, unseen = _features(made, folder), _features(new, folder)
    given, truth = (
        np.array([image.label for image in one.images], np.int64) for one in (made, new)
    )
    seen = _looks(made, folder)
    near = similar.project(features)
    found = copies.find(near, seen.greys, given.astype(np.int32))
    clusters = copies.clusters(found, len(given))
    before = [image.split for image in made.images]
    after = groups.mend(given, before, clusters)
    classes = len(made.class_names)
    strength = closed_form.solve(features, given.astype(np.int32), classes).strength
    leak = groups.measure(features, given, before, after, clusters, strength)
    both = np.concatenate([features, unseen])
    everything = np.concatenate([given, truth]).astype(np.int32)
    row: Row = {"images": len(given), "torn": len(_torn(before, clusters))}
    for name, splits, told in (
        ("before", before, leak.before),
        ("after", after, leak.after),
    ):
        train = np.array([split == "train" for split in splits] + [False] * len(truth))
        judged = np.arange(len(both)) >= len(given)
        true = labels.accuracy(both, everything, train, judged, classes, strength)
        row |= {f"val {name}": told.value, f"unseen {name}": true.value}
    return row


def _torn(splits: Any, clusters: Any) -> Any:
    numbers = np.array([["train", "val", "test"].index(one) for one in splits])
    return groups.torn_groups(numbers, clusters)


def measure_whole(folder: Path, flowers: Path, args: Any) -> Iterator[Row]:
    """Seconds of the command from nothing, and again, and the memory it takes."""
    sets = {"flowers": lambda: flowers}
    if args.large:
        sets["tiny of 64 pixels"] = lambda: _tiny(folder / "tiny", args.large)
    for name, source in sets.items():
        dataset = name.split()[0]
        bench.transfer(folder, "import", str(source()), "--name", dataset)
        images = len(library.load(dataset).images)
        for turn in ("first", "again"):
            words = (sys.executable, "-m", "tests.benchmarks.doctor")
            seconds, told = bench.run_timed(*words, "--stages", dataset, folder=folder)
            yield {"set": name, "images": images, "turn": turn, "s": seconds} | told


def tell_stages(dataset: str) -> Row:
    """Seconds between the doctor's words of how far it is, and what all of it takes."""
    revision, spent = library.load(dataset), Counter[str]()
    last = time.perf_counter()

    def told(doing: str, **_: int) -> None:
        nonlocal last
        now = time.perf_counter()
        spent[doing] += now - last
        last = now

    found = begin.examine(revision, progress=told)
    report.keep(revision, found)
    told("rest")
    used = resource.getrusage(resource.RUSAGE_SELF)
    row: Row = {f"{stage}, s": seconds for stage, seconds in spent.items()}
    # Beside others a process waits; on two cores alone it takes half of this.
    row["of a core, s"] = used.ru_utime + used.ru_stime
    row["peak, GB"] = used.ru_maxrss / 1e6
    return row | {"findings": str(dict(Counter(one.kind for one in found)))}


def _tiny(folder: Path, count: int) -> Path:
    """Tiny ImageNet's training images, a file each; so many of each class."""
    archive = bench.SHARED / "data" / "tiny_imagenet_64.zip"
    if not archive.exists():
        sys.exit(f"This benchmark needs {archive}.")
    with zipfile.ZipFile(archive) as sheets:
        names = sorted(n for n in sheets.namelist() if "train" in n and ".avif" in n)
        for label, name in enumerate(names):
            sheet = Image.open(io.BytesIO(sheets.read(name))).convert("RGB")
            place = folder / f"{label:03}"
            place.mkdir(parents=True)
            across = sheet.width // 64
            for tile in range(count):
                top, left = 64 * (tile // across), 64 * (tile % across)
                small = sheet.crop((left, top, left + 64, top + 64))
                (place / f"{tile:03}.jpg").write_bytes(_save(small, 92))
    return folder


def _features(made: Revision, folder: Path) -> Any:
    place = Path(tempfile.mkdtemp(dir=folder))
    exact = see_with(weights.default_backbone(), "imagenet", made.rendering)
    return np.array(examine.features_of(made, exact, place, _quiet))


def _looks(made: Revision, folder: Path) -> looks.Looks:
    place = Path(tempfile.mkdtemp(dir=folder))
    return looks.look([image.sha256 for image in made.images], None, place)


def _quiet(done: int, of: int) -> None:
    """Nobody watches."""


PARTS: dict[str, Callable[[Path, Path, Any], Iterator[Row]]] = {
    "labels": measure_labels,
    "copies": measure_copies,
    "shortcuts": measure_shortcuts,
    "bursts": measure_bursts,
    "whole": measure_whole,
}

if __name__ == "__main__":
    main()
