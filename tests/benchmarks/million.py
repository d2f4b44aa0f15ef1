"""What a dataset of 1,000,000 images takes: seconds and memory of each step.

`python -m tests.benchmarks.million [--images 1000000] [--classes 200] [--only STEPS]
[--folder FOLDER]`. The images are made: rows of a manifest, facts, features and looks
as they would be kept, and links to a few tiny pictures. Each step is a process of its
own; with Chromium on the path three people look at the gallery of one server.
"""

import argparse
import hashlib
import io
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image as Picture
from playwright.sync_api import Browser, Page

from pages.data import feed
from pages.shared.visits import Visit
from tests.benchmarks import bench, browsing, gallery, peaks
from tests.pictures import make_pictures
from transfer import workspace
from transfer.datasets import archive, classes, editing, facts, history, library
from transfer.datasets import manifest as manifests
from transfer.datasets.facts import Fact
from transfer.datasets.revision import Image, Revision
from transfer.doctor import looks
from transfer.doctor.labels import softmax
from transfer.doctor.measures import SIDE as SIDE_OF_LOOK
from transfer.doctor.one_look import LOOK
from transfer.evaluation import calibration, curves, large, metrics, results
from transfer.evaluation.results import Evaluation
from transfer.features.cache import Shelf
from transfer.gallery import view as views
from transfer.gallery.view import ORDERS, View
from transfer.store import files

NAME, PORT = "made", "8597"
BACKBONE, SIDE, CHANNELS = "efficientnet_lite0", 96, 1280
#: Of the run whose features are kept.
SETTINGS = (
    *("--backbone", BACKBONE, "--method", "instant", "--precision", "float32"),
    *("--image-size", str(SIDE)),
)
#: Images at a time.
PIECE = 4096
#: One in so many is a copy of the one before it, and in another split.
COPIES = 100
#: Answers for so many classes are judged, of a run that is in no store.
CLASSES_JUDGED, MADE_RUN = 1000, "0badcafe"
#: Of the looks that are made: what it says on average.
LEVELS = {"low": 20, "high": 230, "mean": 120, "spread": 200, "blur": 0.3} | {
    "colour": 120,
    "border": 120,
    "border_spread": 40,
}
#: A million files may not be links to one: of ext4 a file has 65,000 names at most.
PICTURES = 100


def main() -> None:
    """Makes the dataset, measures each step and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=200)
    parser.add_argument("--only", default=",".join(ALL))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--step", choices=STEPS, help="for this program itself")
    args = parser.parse_args()
    if args.step:
        # What it began with is no part of it: the imports of all the steps.
        start = time.perf_counter()
        told = STEPS[args.step]()
        used = resource.getrusage(resource.RUSAGE_SELF)
        row = {
            "seconds": time.perf_counter() - start,
            "largest process, MB": used.ru_maxrss * 1.024 / 1000,
            "of the processor, s": used.ru_utime + used.ru_stime,
        }
        print(json.dumps(row | (told or {})))
        return
    os.environ["MADE_IMAGES"] = str(args.images)
    os.environ["MADE_CLASSES"] = str(args.classes)
    with _folder(args.folder) as folder:
        os.environ["TRANSFER_HOME"] = str(folder / "workspace")
        rows = [_measure(step, folder) for step in args.only.split(",")]
    bench.tell("million", rows, images=args.images, classes=args.classes)


@contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    if named:
        named.mkdir(parents=True, exist_ok=True)
        yield named.absolute()
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def _measure(step: str, folder: Path) -> dict[str, Any]:
    if step in WHOLE:
        told, row = peaks.measure(lambda: WHOLE[step](folder))
        row |= told if isinstance(told, dict) else {}
    else:
        row = bench.run_timed(*_step(step), folder=folder)[1]
    print(step, json.dumps(row), flush=True)
    return {"step": step, **row}


def make() -> None:
    """Writes the rows, the facts, and links to tiny pictures."""
    images, count = int(os.environ["MADE_IMAGES"]), int(os.environ["MADE_CLASSES"])
    rows = tuple(_image(number, images, count) for number in range(images))
    revision = Revision(
        dataset=NAME,
        id="0" * 16,
        class_names=tuple(f"class {label:04}" for label in range(count)),
        images=rows,
        passed_over=(),
        split_source="stratified",
        val=0.2,
        test=0.0,
        seed=0,
        created_at=time.time(),
    )
    folder = workspace.folder() / "datasets" / NAME
    manifests.write(folder / f"{revision.id}.json", revision)
    workspace.write_atomically(folder / "newest", revision.id.encode())
    known = {
        one.sha256: Fact(64 + at % 64, 64, 900 + at % 9, 0.0)
        for at, one in enumerate(rows)
    }
    facts.keep(NAME, known)
    _link_pictures(rows)


def _image(number: int, images: int, count: int) -> Image:
    label = number * count // images
    return Image(
        sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        path=f"class {label:04}/camera {number % 7}/IMG_{number:07}.jpg",
        label=label,
        split="val" if number % 5 == 0 else "train",
        day=20_000,
    )


def _link_pictures(rows: tuple[Image, ...]) -> None:
    random, made = np.random.default_rng(0), []
    for number in range(PICTURES):
        pixels = np.kron(random.integers(0, 255, (4, 4, 3)), np.ones((16, 16, 1)))
        buffer = io.BytesIO()
        Picture.fromarray(pixels.astype(np.uint8)).save(buffer, "JPEG")
        made.append(workspace.folder("made") / f"{number}.jpg")
        made[-1].parent.mkdir(exist_ok=True)
        made[-1].write_bytes(buffer.getvalue())
    for prefix in range(256):
        library.image_path(f"{prefix:02x}" + "0" * 62).parent.mkdir(parents=True)
    for number, image in enumerate(rows):
        os.link(made[number % PICTURES], library.image_path(image.sha256))


def keep(folder: Path) -> None:
    """Keeps features and looks of all images where a run and the doctor will look."""
    few = folder / "few"
    make_pictures(few, {"a": 20, "b": 20}, (SIDE, SIDE), extension=".jpg")
    bench.transfer(folder, "import", str(few), "--name", "few")
    told = bench.transfer(folder, "train", "--dataset", "few", *SETTINGS)
    (folder / "run of few").write_text(told["run"])
    bench.transfer(folder, "doctor", "few", "--backbone", BACKBONE)
    for step in ("features", "looks"):
        print(step, bench.run_timed(*_step(step), folder=folder)[1])


def features() -> None:
    """Rows of a class are its mean and noise, as 5 GB of a real backbone would be."""
    revision, random = library.load(NAME), np.random.default_rng(0)
    means = random.normal(size=(len(revision.class_names), CHANNELS)).astype(np.float32)
    noise = 12 * random.normal(size=(4 * PIECE, CHANNELS)).astype(np.float32)
    with _shelf().writer() as writer:
        for start in range(0, len(revision.images), PIECE):
            some = revision.images[start : start + PIECE]
            at = random.integers(0, len(noise), len(some))
            at[1::COPIES] = at[:-1:COPIES]
            rows = means[[one.label for one in some]] + noise[at]
            writer.add([one.sha256 for one in some], rows)
    # The doctor sees larger pictures than the run; these rows do for both.
    written, *others = _places()
    for segment in written.glob("*.features"):
        for other in others:
            (other / segment.name).hardlink_to(segment)


def keep_looks() -> None:
    """Looks at pictures, smooth ones with some noise, where the doctor keeps them."""
    hashes = [one.sha256 for one in library.load(NAME).images]
    random, between = np.random.default_rng(0), np.linspace(0, 3, SIDE_OF_LOOK)
    mix = np.maximum(1 - np.abs(between[:, None] - np.arange(4)), 0).astype(np.float32)
    noise = random.normal(0, 12, (512, SIDE_OF_LOOK, SIDE_OF_LOOK)).astype(np.float32)
    with looks.shelf_of(None, is_read=False).writer() as writer:
        for start in range(0, len(hashes), PIECE):
            some = hashes[start : start + PIECE]
            coarse = random.normal(128, 45, (len(some), 4, 4)).astype(np.float32)
            greys = mix @ coarse @ mix.T + noise[random.integers(0, 512, len(some))]
            greys[1::COPIES] = greys[:-1:COPIES]
            rows = np.zeros(len(some), LOOK)
            rows["grey"] = np.clip(greys, 0, 255)
            rows["format"], rows["mode"], rows["frames"] = "JPEG", "RGB", 1
            for name in ("width", "height", "bytes", "quality"):
                rows[name] = random.integers(200, 400, len(some))
            for name, mean in LEVELS.items():
                rows[name] = random.normal(mean, mean / 20, rows[name].shape)
            writer.add(some, rows.view(np.uint8).reshape(len(some), -1))


def _places() -> list[Path]:
    """Folders of features in float32, those of the run and those of the doctor."""
    found = (workspace.home() / "features").glob("*-pooling-*")
    return sorted(one for one in found if not one.name.endswith("-bfloat16"))


def _shelf() -> Shelf:
    return Shelf(_places()[0].name, (CHANNELS,), "float32")


def open_() -> dict[str, Any]:
    """Opens the dataset, as every process does that needs it."""
    before = psutil.Process().memory_info().rss
    images = library.load(NAME).images
    takes = psutil.Process().memory_info().rss - before
    return {"images": len(images), "it takes, MB": takes / 1e6}


def index() -> dict[str, Any]:
    """Opens the shelf with the features, and reads some of all."""
    shelf = _shelf()
    hashes = [one.sha256 for one in library.load(NAME).images[::1000]]
    return {"lost": len(shelf.read(hashes)[1])}


def look() -> dict[str, Any]:
    """A page of each order, some filters and jumps, as several people ask for them."""
    revision = library.load(NAME)
    slowest = 0.0
    many = [
        View(dataset=NAME, revision=revision.id, order=order) for order in ORDERS[:6]
    ]
    for number in range(12):
        name = revision.class_names[number % len(revision.class_names)]
        many.append(View(dataset=NAME, revision=revision.id, classes=(name,)))
        many.append(View(dataset=NAME, revision=revision.id, text=f"{number}.jpg"))
        many.append(
            View(
                dataset=NAME,
                revision=revision.id,
                is_descending=True,
                least=float(number),
            )
        )
    for view in many:
        start = time.perf_counter()
        for at in (0, 500_000, 999_900):
            feed.page(Visit(view.to_token()), at, 100)
        slowest = max(slowest, time.perf_counter() - start)
    return {"slowest page, s": slowest, "views": len(many)}


def change() -> dict[str, Any]:
    """Changes of many images at once, single ones, and back."""
    before = library.load(NAME)
    some = [image.sha256 for image in before.images[:1000]]
    others = [image.sha256 for image in before.images[-9:]]
    first, second, third, *_ = before.class_names
    steps: dict[str, Callable[[], object]] = {
        "move 1,000": lambda: editing.move(NAME, some, third),
        "leave out 1,000": lambda: editing.leave_out(NAME, some, "a test"),
        "rename": lambda: classes.rename(NAME, first, "z"),
        "merge": lambda: classes.merge(NAME, [second, third], "both"),
        "undo": lambda: history.undo(NAME),
    }
    steps |= {
        f"move {at}": lambda at=at: editing.move(NAME, [others[at]], "z")
        for at in range(9)
    }
    took = {}
    for name, step in steps.items():
        start = time.perf_counter()
        step()
        took[f"{name}, s"] = time.perf_counter() - start
    history.go_to(NAME, before.id)
    return took


def list_zip() -> dict[str, Any]:
    """The zip to take away."""
    path = archive.write(library.load(NAME), workspace.folder("made") / "all.zip")
    size = path.stat().st_size
    path.unlink()
    return {"zip, GB": size / 1e9}


def judge() -> dict[str, Any]:
    """Answers for four fifths of the images among 1,000 classes, and their figures.

    They are kept as those of val, for there most is reckoned.
    """
    images = [one for one in library.load(NAME).images if one.split == "train"]
    random, labels = np.random.default_rng(0), np.array([one.label for one in images])
    chances = large.empty((len(images), CLASSES_JUDGED), np.float32)
    for some in large.pieces(len(images), chances):
        own = labels[some]
        rows = random.gumbel(size=(len(own), CLASSES_JUDGED)).astype(np.float32)
        rows[np.arange(len(own)), own] += 10
        chances[some] = softmax(rows)
    made = Evaluation(
        run=MADE_RUN,
        split="val",
        class_names=tuple(f"class {label:04}" for label in range(CLASSES_JUDGED)),
        sha256=large.texts([one.sha256 for one in images]),
        paths=large.texts([one.path for one in images]),
        labels=labels,
        probabilities=chances,
        temperature=calibration.fit(chances, labels),
        figures=metrics.figures(chances, labels),
    )
    files.evaluation(MADE_RUN, "val").parent.mkdir(parents=True, exist_ok=True)
    results.save(made)
    return {"top-1": made.figures.top_1.value}


def page() -> dict[str, Any]:
    """What the page Evaluate and the gallery ask of those answers."""
    found = results.load(MADE_RUN, "val")
    assert found
    found.summary()
    curves.risk_coverage(found.shown, found.labels)
    curves.roc(found.shown, found.labels, 0)
    assert found.confusion.sum() == len(found.labels)
    view = View(dataset=NAME, revision="0" * 16, order="loss", run=MADE_RUN)
    return {"shown": len(views.show(view).images)}


def run(folder: Path) -> dict[str, Any]:
    """A run in closed form whose features are kept, and its evaluation on val."""
    told = bench.transfer(folder, "train", "--dataset", NAME, *SETTINGS)
    (folder / "run").write_text(told["run"])
    seconds = {f"{name}, s": took for name, took in told["seconds"].items()}
    return {"val accuracy": told["val_accuracy"], **seconds}


def evaluate(folder: Path) -> None:
    """The same run on train."""
    run = (folder / "run").read_text()
    bench.transfer(folder, "evaluate", run, "--split", "train")


def doctor(folder: Path) -> None:
    """All that the doctor looks for; near pictures by the features that are kept."""
    bench.transfer(folder, "doctor", NAME, "--backbone", BACKBONE)


def enough(folder: Path) -> None:
    """The learning curve on features."""
    bench.transfer(folder, "enough", NAME, "--backbone", BACKBONE)


def predict(folder: Path) -> None:
    """A table of what a run of two classes says of a folder of as many pictures."""
    run, loose = (folder / "run of few").read_text(), folder / "loose"
    if not loose.exists():
        loose.mkdir()
        for number in range(int(os.environ["MADE_IMAGES"])):
            made = workspace.folder("made") / f"{number % PICTURES}.jpg"
            os.link(made, loose / f"IMG_{number:07}.jpg")
    table = "--csv", str(folder / "answers.csv"), "--top", "1"
    bench.transfer(folder, "predict", run, str(loose), *table)


def people(folder: Path) -> dict[str, Any]:
    """Three people look at the gallery of one server, each filters and jumps."""
    del folder
    with browsing.app(PORT, {**os.environ}) as browser:
        return {
            f"person {number}, {name}": took
            for number in range(3)
            for name, took in _visit(browser, number).items()
        }


def _visit(browser: Browser, number: int) -> dict[str, float]:
    """Milliseconds of one person's way, who stays there."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(300_000)
    start = time.perf_counter()
    _open(page)
    opened = time.perf_counter() - start
    page.get_by_role("radio", name="All images").click()
    page.locator(".cell img").first.wait_for()
    shown = time.perf_counter() - start
    page.locator(".view").scroll_into_view_if_needed()
    jumps = [page.evaluate(gallery.SCROLL, at / 7) for at in range(1, 7)]
    start = time.perf_counter()
    page.get_by_label("File name has").fill(f"{number}1.jpg")
    page.keyboard.press("Enter")
    page.locator(f".cell img[alt*='{number}1.jpg']").first.wait_for()
    told = {"page, s": opened, "gallery, s": shown, "slowest jump, ms": max(jumps)}
    return told | {"filter, s": time.perf_counter() - start}


def _open(page: Page) -> None:
    while True:
        try:
            page.goto(f"http://127.0.0.1:{PORT}/?dataset={NAME}")
            page.get_by_role("radio", name="All images").wait_for()
            return
        except Exception:  # noqa: BLE001 - until the server listens
            time.sleep(0.5)


def _step(name: str) -> tuple[str, ...]:
    return sys.executable, "-m", "tests.benchmarks.million", "--step", name


#: Each in a process of its own.
STEPS: dict[str, Callable[[], dict[str, Any] | None]] = {
    "make": make,
    "open": open_,
    "look": look,
    "change": change,
    "zip": list_zip,
    "judge": judge,
    "page": page,
    "features": features,
    "looks": keep_looks,
    "index": index,
}
#: Whole commands, or a server, whose processes are watched.
WHOLE: dict[str, Callable[[Path], Any]] = {
    "people": people,
    "keep": keep,
    "run": run,
    "evaluate": evaluate,
    "doctor": doctor,
    "enough": enough,
    "predict": predict,
}
#: In this order, if none is chosen.
ALL = (
    *("make", "open", "look", "change", "zip", "judge", "page", "people"),
    *("keep", "index", "run", "evaluate", "doctor", "enough"),
    "predict",
)

if __name__ == "__main__":
    main()
