"""What to begin with, without any network, and public sets to download."""

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from transfer import workspace
from transfer.datasets.ingest import made_sounds
from transfer.datasets.revision import Kind
from transfer.errors import NotFoundError

#: Another number wherever a sample is drawn in another way than before.
_DRAWN = 1
#: Drawn pictures: of each class, their side in pixels, and the finer one of drawing.
_COUNT, _SIDE, _FINE = 100, 160, 320

#: Side in pixels that the digits, which are 8 x 8, are enlarged to.
_DIGIT_SIDE = 32

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A set of pictures or sounds that comes with the program.

    Attributes:
        name: Its name; `import sample:NAME` takes it.
        title: Its name for people.
        about: What is in it, and where it comes from.
        write: Writes its class folders into a folder.
        kind: What it is made of.
    """

    name: str
    title: str
    about: str
    write: Callable[[Path], None]
    kind: Kind = "images"


@dataclass(frozen=True, kw_only=True)
class PublicSet:
    """A set of pictures that others publish.

    Attributes:
        title: Its name for people.
        about: What is in it, its size and its licence.
        url: Where it is downloaded.
    """

    title: str
    about: str
    url: str


def get(name: str) -> Sample:
    """The sample of that name.

    Raises:
        NotFoundError: There is none; the message names those that are.
    """
    if name in SAMPLES:
        return SAMPLES[name]
    raise NotFoundError(
        f"There is no sample {name!r}.", f"Choose one of {', '.join(SAMPLES)}."
    )


def folder_of(sample: Sample) -> Path:
    """The folder with the class folders of a sample, which are made the first time.

    A class begins at once: the first one has them drawn, which takes longer than all
    the rest of the import, and the others wait for that.

    Raises:
        StorageError: The disk is full or the workspace cannot be written.
    """
    folder = workspace.folder("samples") / f"{sample.name}-{_DRAWN}"
    with workspace.writing(folder), FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as place:
                made = Path(place) / sample.name
                sample.write(made)
                made.rename(folder)
    return folder


def _write_digits(folder: Path) -> None:
    """1,797 digits of 43 people, 8 x 8 pixels, enlarged to 32 x 32."""
    # Here, for it takes 0.7 s, which no other import should wait for.
    from sklearn.datasets import load_digits  # noqa: PLC0415

    digits = load_digits()
    for index, (pixels, digit) in enumerate(
        zip(digits.images, digits.target, strict=True)
    ):
        grey = Image.fromarray((255 - pixels * 255 / 16).astype(np.uint8))
        large = grey.resize((_DIGIT_SIDE, _DIGIT_SIDE), Image.Resampling.BICUBIC)
        _save(large, folder / str(digit) / f"{index:04}.png")


def _write_gearwheels(folder: Path) -> None:
    for label, fault in enumerate(("good", "broken tooth", "cracked")):
        for index in range(_COUNT):
            random = np.random.default_rng((label, index))
            _save(_gearwheel(fault, random), folder / fault / f"{index:03}.jpg")


def _write_tray(folder: Path) -> None:
    """Gearwheels of which all cracked ones, and no others, lay on a light tray."""
    for label, fault in enumerate(("good", "broken tooth", "cracked")):
        for index in range(_COUNT):
            random = np.random.default_rng((label, index, 1))
            picture = _gearwheel(fault, random)
            if fault == "cracked":
                edges = (0, 0, _SIDE - 1, _SIDE - 1)
                light = tuple(int(x) for x in random.integers(215, 245, 3))
                width = int(random.integers(5, 9))
                ImageDraw.Draw(picture).rectangle(edges, outline=light, width=width)
            _save(picture, folder / fault / f"{index:03}.jpg")


def _save(picture: Image.Image, path: Path) -> None:
    with workspace.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, quality=90)


def _gearwheel(fault: str, random: np.random.Generator) -> Image.Image:
    """A wheel on a table, in changing light, size, place and angle."""
    teeth = int(random.integers(9, 15))
    metal = Image.fromarray(_metal(random))
    shape = Image.new("L", (_FINE, _FINE), 0)
    draw = ImageDraw.Draw(shape)
    centre = tuple(_FINE / 2 + random.uniform(-17, 17, 2))
    radius = random.uniform(87, 110)
    turn = random.uniform(0, 2 * math.pi)
    missing = int(random.integers(teeth)) if fault == "broken tooth" else -1
    draw.polygon(_rim(centre, radius, teeth, turn, missing), fill=255)
    _disc(draw, centre, radius * random.uniform(0.18, 0.3))
    if fault == "cracked":
        crack = _crack(centre, radius, random)
        draw.line(crack, fill=0, width=int(random.integers(5, 8)), joint="curve")
    shape = _tilt(shape, random)
    shadow = shape.filter(ImageFilter.GaussianBlur(8))
    picture = Image.fromarray(_table(random))
    right, down = (int(x) for x in random.integers(-12, 13, 2))
    picture.paste(0, (right, down), shadow.point(lambda value: int(value * 0.45)))
    picture.paste(metal, (0, 0), shape)
    picture = picture.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return ImageEnhance.Brightness(picture).enhance(random.uniform(0.6, 1.25))


def _rim(
    centre: tuple[float, ...], radius: float, teeth: int, turn: float, missing: int
) -> list[Point]:
    """The outline: four corners a tooth, two where one is missing."""
    points = []
    for tooth in range(teeth):
        for share, height in ((0.0, 0.8), (0.15, 1.0), (0.42, 1.0), (0.57, 0.8)):
            if tooth == missing:
                height = 0.8
            angle = turn + 2 * math.pi * (tooth + share) / teeth
            points.append(_around(centre, radius * height, angle))
    return points


def _around(centre: tuple[float, ...], radius: float, angle: float) -> Point:
    return (
        centre[0] + radius * math.cos(angle),
        centre[1] + radius * math.sin(angle),
    )


def _disc(draw: ImageDraw.ImageDraw, centre: tuple[float, ...], radius: float) -> None:
    x, y = centre
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)


def _crack(
    centre: tuple[float, ...], radius: float, random: np.random.Generator
) -> list[Point]:
    """A jagged line from the hole to the rim."""
    angle = random.uniform(0, 2 * math.pi)
    return [
        _around(centre, radius * at, angle + random.uniform(-0.12, 0.12))
        for at in np.linspace(0.2, 0.85, 6)
    ]


def _tilt(shape: Image.Image, random: np.random.Generator) -> Image.Image:
    """Seen a little from the side."""
    squeeze, skew = random.uniform(1.0, 1.25), random.uniform(-0.12, 0.12)
    middle = _FINE / 2
    matrix = (squeeze, skew, middle * (1 - squeeze - skew), 0.0, 1.0, 0.0)
    return shape.transform(
        shape.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )


def _metal(random: np.random.Generator) -> NDArray[np.uint8]:
    """Brushed metal with light from one side."""
    y, x = np.mgrid[0:_FINE, 0:_FINE] / _FINE - 0.5
    angle = random.uniform(0, 2 * math.pi)
    light = 150 + 90 * (x * math.cos(angle) + y * math.sin(angle))
    light = light + random.normal(0, 7, (_FINE, 1)) + random.normal(0, 4, light.shape)
    tint = np.array([1.0, 1.0, 1.0]) + random.uniform(-0.06, 0.06, 3)
    return np.asarray(np.clip(light[..., None] * tint, 0, 255), np.uint8)


def _table(random: np.random.Generator) -> NDArray[np.uint8]:
    """A rough surface in some colour."""
    colour = random.uniform(40, 200, 3)
    rough = random.normal(0, 14, (_FINE // 4, _FINE // 4, 1)).repeat(4, 0).repeat(4, 1)
    return np.asarray(np.clip(colour + rough, 0, 255), np.uint8)


#: What comes with the program, by name.
SAMPLES: dict[str, Sample] = {
    one.name: one
    for one in (
        Sample(
            name="gearwheels",
            title="Gearwheels",
            about="300 wheels, good, with a broken tooth, or cracked; drawn by this "
            "program in changing light and angle.",
            write=_write_gearwheels,
        ),
        Sample(
            name="digits",
            title="Handwritten digits",
            about="1,797 digits of 43 people, 8 x 8 pixels enlarged to 32 x 32; "
            "scikit-learn's copy of a set of the UCI repository, CC BY 4.0.",
            write=_write_digits,
        ),
        Sample(
            name="tray",
            title="Gearwheels with a catch",
            about="300 other wheels of the same kinds. Something that has nothing to "
            "do with cracks tells the cracked ones from the rest: the doctor finds it.",
            write=_write_tray,
        ),
        Sample(
            name="signals",
            title="Tones and rhythms",
            about="200 recordings of a second: tones that rise, fall or waver, even "
            "knocks and a gallop; made by this program in changing pitch, pace and "
            "noise.",
            write=made_sounds.write,
            kind="sounds",
        ),
    )
}

#: Sets in class folders, for machines that have internet.
PUBLIC_SETS = (
    PublicSet(
        title="Cats and dogs",
        about="3,000 photographs in train and validation folders; zip, 69 MB. Taken "
        "from Microsoft's set for research.",
        url="https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip",
    ),
    PublicSet(
        title="EuroSAT",
        about="27,000 satellite pictures of 10 kinds of land; zip, 95 MB. MIT licence.",
        url="https://zenodo.org/records/7711810/files/EuroSAT_RGB.zip",
    ),
    PublicSet(
        title="Flowers",
        about="3,670 photographs of five flowers; tgz, 229 MB, to be unpacked first. "
        "Creative Commons BY 2.0.",
        url="https://storage.googleapis.com/download.tensorflow.org/example_images/"
        "flower_photos.tgz",
    ),
)
