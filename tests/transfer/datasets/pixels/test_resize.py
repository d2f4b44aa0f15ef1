"""Pictures that are not square come to the model stretched, cropped or fitted."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.pictures import noisy_picture
from transfer.datasets.decoding import decode
from transfer.datasets.pixels import resize
from transfer.datasets.pixels.resize import Resizing

EVERY: tuple[Resizing, ...] = ("stretch", "crop", "fit")
#: What makes an upright picture one of this EXIF orientation.
TURNS = {
    3: Image.Transpose.ROTATE_180,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}


def saved(picture: Image.Image, kind: str = "PNG", orientation: int = 1) -> bytes:
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    picture.save(buffer, kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))
    return buffer.getvalue()


def ends_and_middle(width: int, height: int) -> Image.Image:
    """Red and blue ends of the long side, and a green square in the middle."""
    picture = Image.new("RGB", (width, height), (255, 0, 0))
    side = min(width, height)
    corner = (width - side) // 2, (height - side) // 2
    picture.paste((0, 0, 255), (corner[0], corner[1], width, height))
    picture.paste((0, 255, 0), (*corner, corner[0] + side, corner[1] + side))
    return picture


def close_to(pixels: NDArray[np.uint8], colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixels.astype(int) - colour).max() < 12)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(900, 300), (300, 900), (90, 30)])
def test_decode__crop_takes_the_middle(kind: str, size: tuple[int, int]) -> None:
    pixels = decode(saved(ends_and_middle(*size), kind), (60, 60), None, "crop")
    assert pixels.shape == (60, 60, 3)
    # At its edges a lossy format mixes the neighbour in.
    assert close_to(pixels[3:-3, 3:-3], (0, 255, 0))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_decode__fit_has_all_of_it_and_a_border(kind: str) -> None:
    lying = decode(saved(ends_and_middle(900, 300), kind), (60, 60), None, "fit")
    assert (lying[:20] == resize.BORDER).all() and (lying[40:] == resize.BORDER).all()
    assert close_to(lying[21:39, 2:18], (255, 0, 0))
    assert close_to(lying[21:39, 22:38], (0, 255, 0))
    assert close_to(lying[21:39, 42:58], (0, 0, 255))
    standing = decode(saved(ends_and_middle(300, 900), kind), (60, 60), None, "fit")
    assert (standing[:, :20] == resize.BORDER).all()
    assert close_to(standing[22:38, 21:39], (0, 255, 0))


@pytest.mark.parametrize("resizing", ["crop", "fit"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "I;16"])
def test_decode__of_the_sizes_own_shape_it_is_stretching(
    mode: str, resizing: Resizing
) -> None:
    picture = noisy_picture(0.3, (400, 300))
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16))
    else:
        picture = picture.quantize() if mode == "P" else picture.convert(mode)
    for size in ((64, 48), (400, 300)):
        stretched = decode(saved(picture), size)
        assert np.array_equal(decode(saved(picture), size, None, resizing), stretched)


@pytest.mark.parametrize("resizing", EVERY)
@pytest.mark.parametrize("orientation", sorted(TURNS))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_decode__a_turned_picture_is_resized_as_it_is_seen(
    kind: str, orientation: int, resizing: Resizing
) -> None:
    upright = noisy_picture(0.4, (401, 701))
    stored = upright.transpose(TURNS[orientation])
    turned = decode(saved(stored, kind, orientation), (33, 33), None, resizing)
    straight = decode(saved(upright, kind), (33, 33), None, resizing)
    difference = np.abs(turned.astype(int) - straight.astype(int))
    assert difference.max() <= (24 if kind == "JPEG" else 2)
    assert difference.mean() < 1.5


@pytest.mark.parametrize("resizing", EVERY)
def test_decode__other_colours_are_resized_like_rgb(resizing: Resizing) -> None:
    plain = noisy_picture(0.2, (470, 1500))
    own = decode(saved(plain), (50, 50), None, resizing).astype(int)
    clear = decode(saved(plain.convert("RGBA")), (50, 50), None, resizing)
    assert np.abs(clear - own).max() <= 2


@pytest.mark.parametrize(
    ("resizing", "read"),
    [("stretch", (800, 200)), ("crop", (800, 200)), ("fit", (200, 50))],
)
def test_decode__a_jpeg_is_read_no_larger_than_it_will_be(
    resizing: Resizing, read: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    whole = Image.Image.resize

    def noted(image: Image.Image, *rest: object, **more: object) -> Image.Image:
        sizes.append(image.size)
        return whole(image, *rest, **more)  # type: ignore[arg-type]

    content = saved(noisy_picture(0.3, (400, 1600)), "JPEG")
    monkeypatch.setattr(Image.Image, "resize", noted)
    decode(content, (190, 190), None, resizing)
    assert sizes[0] == read


@pytest.mark.parametrize("resizing", EVERY)
@pytest.mark.parametrize("own", [(3000, 1), (1, 3000), (1, 1), (7, 5)])
def test_decode__of_the_oddest_shapes(own: tuple[int, int], resizing: Resizing) -> None:
    content = saved(Image.new("RGB", own, (250, 0, 0)))
    pixels = decode(content, (32, 48), None, resizing)
    assert pixels.shape == (32, 48, 3)
    assert (pixels[15:17, 23:25] == (250, 0, 0)).all(-1).any()
