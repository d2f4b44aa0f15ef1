"""Sets of pictures of several kinds, each with a test part, and the accuracy on it.

In class folders below `train` and `test`; of `train` an import takes val.
"""

import io
import math
import tempfile
import wave
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.benchmarks import bench
from transfer.datasets.ingest import samples

#: Class and picture, one by one; those that a set begins with are for training.
Pictures = Iterator[tuple[str, Image.Image]]

_CATS = ("n02123045", "n02124075")  # tabby and Egyptian cat, of Tiny ImageNet


def write(name: str, folder: Path) -> None:
    """Writes the set into a folder that is not there yet."""
    train, test, pictures = SETS[name]
    counts: dict[str, int] = {}
    made = folder.with_name(f"{folder.name} is being made")
    for label, picture in pictures():
        counts[label] = number = counts.get(label, 0) + 1
        if number > train + test:
            continue
        part = "train" if number <= train else "test"
        path = made / part / label / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    made.rename(folder)


def accuracy(model: Any, images: Sequence[Any]) -> float:
    """Share of right answers of a whole classifier on some images of a dataset.

    Not a number where there are none.
    """
    from transfer.datasets import decoding, library  # noqa: PLC0415

    size, right = model.input_shape[1:3], 0
    for start in range(0, len(images), 64):
        some = images[start : start + 64]
        pixels = [decoding.decode(library.image_path(one.sha256), size) for one in some]
        answers = np.asarray(model(np.stack(pixels), training=False)).argmax(1)
        right += int(np.sum(answers == [one.label for one in some]))
    return right / len(images) if images else math.nan


def _flowers() -> Pictures:
    with zipfile.ZipFile(bench.data("flower_photos.zip")) as photos:
        names = sorted(n for n in photos.namelist() if n.endswith(".jpg"))
        for name in np.random.default_rng(0).permutation(names):
            yield name.split("/")[-2], Image.open(io.BytesIO(photos.read(name)))


def tiny(classes: Sequence[str] | slice, images: int) -> Pictures:
    """So many 64-pixel photographs of each of these classes of Tiny ImageNet."""
    with zipfile.ZipFile(bench.data("tiny_imagenet_64.zip")) as sheets:
        found = {Path(n).stem: n for n in sheets.namelist() if "/train/" in n}
        wanted = sorted(found)[classes] if isinstance(classes, slice) else classes
        for label in wanted:
            sheet = Image.open(io.BytesIO(sheets.read(found[label]))).convert("RGB")
            for tile in range(images):
                top, left = 64 * (tile // 25), 64 * (tile % 25)
                yield label, sheet.crop((left, top, left + 64, top + 64))


def _digits() -> Pictures:
    """scikit-learn's digits, as the sample has them."""
    with tempfile.TemporaryDirectory() as folder:
        samples.get("digits").write(Path(folder))
        files = sorted(Path(folder).rglob("*.png"))
        for at in np.random.default_rng(0).permutation(len(files)):
            yield files[at].parent.name, Image.open(files[at])


def _gearwheels() -> Pictures:
    """The sample's 100 of each class, and 100 more to test with."""
    for label, fault in enumerate(("good", "broken tooth", "cracked")):
        for index in range(200):
            random = np.random.default_rng((label, index))
            yield fault, samples._gearwheel(fault, random)


def _spoken() -> Pictures:
    """How loud each pitch is at each time, drawn in grey."""
    with zipfile.ZipFile(bench.data("spoken_digits.zip")) as recordings:
        names = sorted(n for n in recordings.namelist() if n.endswith(".wav"))
        for name in np.random.default_rng(0).permutation(names):
            with wave.open(io.BytesIO(recordings.read(name))) as sound:
                heard = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
            yield name.split("/")[-2], Image.fromarray(_spectrogram(heard))


def _spectrogram(sound: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Loudness of `(pitches, times)`, the highest pitch on top, 0 to 255."""
    windows = np.lib.stride_tricks.sliding_window_view(sound / 32768, 256)[::64]
    loud = np.log(np.abs(np.fft.rfft(windows * np.hanning(256))).T[::-1] + 1e-4)
    return np.uint8(255 * (loud - loud.min()) / np.ptp(loud))


#: By name: images of each class to learn from, and to test with; and the pictures.
SETS: dict[str, tuple[int, int, Callable[[], Pictures]]] = {
    "gearwheels": (100, 100, _gearwheels),
    "spoken digits": (50, 60, _spoken),
    "two cats": (120, 300, lambda: tiny(_CATS, 420)),
    "flowers": (200, 120, _flowers),
    "20 classes": (50, 25, lambda: tiny(slice(5, None, 10), 75)),
    "digits": (60, 60, _digits),
    "200 classes": (25, 5, lambda: tiny(slice(None), 30)),
    "all flowers": (1000, 0, _flowers),
}
