"""The bundle decodes every kind of picture to the very pixels that the app sees."""

import importlib
import io
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pictures import noisy_picture
from tests.transfer.export.conftest import alone
from transfer.datasets.decoding import decode
from transfer.export import programs


def saved(image: Image.Image, extension: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, extension, **options)
    return buffer.getvalue()


def turned(orientation: int, size: tuple[int, int] = (120, 80)) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(noisy_picture(0.3, size), "JPEG", exif=exif)


def palette() -> bytes:
    image = noisy_picture(0.6, (90, 70)).quantize(16)
    return saved(image, "PNG", transparency=3)


def deep() -> bytes:
    values = np.random.default_rng(0).integers(0, 65536, (70, 90)).astype(np.uint16)
    return saved(Image.fromarray(values), "PNG")


def clear() -> bytes:
    image = noisy_picture(0.1, (90, 70)).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return saved(image, "PNG")


PICTURES: dict[str, Callable[[], bytes]] = {
    **{f"orientation {n}": lambda n=n: turned(n) for n in range(1, 9)},
    "cmyk": lambda: saved(noisy_picture(0.2, (90, 70)).convert("CMYK"), "JPEG"),
    "palette": palette,
    "16 bits": deep,
    "alpha": clear,
    "very wide": lambda: saved(noisy_picture(0.5, (20, 1500)), "JPEG"),
    "large": lambda: turned(6, (900, 1200)),
    "animation": lambda: saved(
        noisy_picture(0.1), "GIF", save_all=True, append_images=[noisy_picture(0.9)]
    ),
    "tiff": lambda: saved(noisy_picture(0.4, (90, 70)), "TIFF"),
    "webp": lambda: saved(noisy_picture(0.4, (90, 70)), "WEBP"),
}


def write(folder: Path) -> Path:
    """The folder, with the programs of a bundle that decode."""
    (folder / "pixels").mkdir()
    for name, text in programs.decoding().items():
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def decoding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[types.ModuleType]:
    """The bundle's own program, as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(write(tmp_path_factory.mktemp("programs")))
        yield importlib.import_module("decoding")
    for name in [one for one in sys.modules if one.startswith(("decoding", "pixels"))]:
        del sys.modules[name]


@pytest.mark.parametrize("kind", PICTURES)
def test_decoding__pixels_are_the_apps(decoding: types.ModuleType, kind: str) -> None:
    content = PICTURES[kind]()
    for size in ((64, 64), (48, 96)):
        own = decode(content, size)
        assert own.shape == (*size, 3)
        np.testing.assert_array_equal(decoding.decode(content, size), own)


def test_decoding__needs_nothing_of_ours(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "no.jpg").write_bytes(b"text")
    code = (
        "import sys; sys.path.insert(0, '.'); import decoding, pathlib\n"
        "from pixels.errors import ImageError\n"
        "try: decoding.decode(pathlib.Path('no.jpg'))\n"
        "except ImageError as error: print(error)\n"
        "assert not [one for one in sys.modules if one.startswith('transfer')]"
    )
    done = alone("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "is not a picture in a known format" in done.stdout
