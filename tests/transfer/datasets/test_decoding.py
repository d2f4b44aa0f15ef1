"""Every kind of picture decodes to upright RGB; every kind of damage is named."""

import base64
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pictures import noisy_picture
from transfer.datasets import decoding
from transfer.datasets.decoding import decode, encode_thumbnail
from transfer.datasets.pixels import memory, opening
from transfer.errors import ImageError

# Pillow warns of what it sees in damaged files before it raises.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]

RED, WHITE = (255, 0, 0), (255, 255, 255)

# 16 by 8 pixels, left half red, right half blue; Pillow cannot write this format.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0"
    "AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABoAABAAAAAAAAAE8AAAAjaWluZgAAAAAA"
    "AQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/GlwcnAAAADcaXBjbwAAAHVodmND"
    "AQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEB"
    "A3AAAAMAkAAAAwAAAwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNs"
    "eAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAEAAAAAEAAAAIAAAAAf///9AAAAAC"
    "////yAAAAAIAAAAQcGl4aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAV21kYXQAAABL"
    "KAGvBPIakgaAQlFUe/UK//88/f+YcsGHrSa+9rt/+6bbG5TcDWrh40jVfL/0F31vaQfQm0BTH4GYV1rQ"
    "7sb9mqG6EIvWs+vsYQWA"
)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def quadrants(width: int = 64, height: int = 32) -> Image.Image:
    """Red, green, blue and white quarters, so that every turn of it differs."""
    picture = Image.new("RGB", (width, height), WHITE)
    right, below = width // 2, height // 2
    picture.paste(RED, (0, 0, right, below))
    picture.paste((0, 255, 0), (right, 0, width, below))
    picture.paste((0, 0, 255), (0, below, right, height))
    return picture


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "AVIF", "JPEG", "GIF"])
def test_decode__formats(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    decoded = decode(encoded(quadrants(), kind, **options))
    assert decoded.shape == (32, 64, 3) and decoded.dtype == np.uint8
    assert np.abs(decoded[8, 16].astype(int) - RED).max() < 8
    assert np.abs(decoded[24, 16].astype(int) - (0, 0, 255)).max() < 8


def test_decode__heic() -> None:
    decoded = decode(HEIC)
    assert decoded.shape == (8, 16, 3)
    assert decoded[4, 2, 0] > 240 and decoded[4, 13, 2] > 240


def test_decode__path_bytes_and_stream_agree(tmp_path: Path) -> None:
    content = encoded(quadrants(), "PNG")
    (tmp_path / "a.png").write_bytes(content)
    from_path = decode(tmp_path / "a.png")
    assert np.array_equal(from_path, decode(content))
    assert np.array_equal(from_path, decode(io.BytesIO(content)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_decode__exif_orientation(kind: str, orientation: int) -> None:
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = quadrants(640, 320)
    stored = upright.transpose(back[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(stored, kind, exif=exif)
    whole, small = decode(content), decode(content, (40, 60))
    assert whole.shape == (320, 640, 3) and small.shape == (40, 60, 3)
    for decoded in (whole, small):
        height, width = decoded.shape[:2]
        corner = decoded[height // 4, width // 4].astype(int)
        below = decoded[height * 3 // 4, width // 4].astype(int)
        assert np.abs(corner - RED).max() < 12
        assert np.abs(below - (0, 0, 255)).max() < 12
    thumbnail = Image.open(io.BytesIO(encode_thumbnail(content, 64)))
    assert thumbnail.size == (64, 32)


def test_decode__damaged_exif_is_no_reason_to_refuse() -> None:
    content = encoded(quadrants(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert decode(content).shape == (32, 64, 3)


def test_decode__16_bit_png_is_scaled_not_clipped() -> None:
    values = np.array([[0, 257, 32768, 65535]], dtype=np.uint16)
    decoded = decode(encoded(Image.fromarray(values), "PNG"))
    assert decoded[0, :, 0].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 32768, 65535]], np.int32), [0, 128, 255]),
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 100.0, 255.0]], np.float32), [0, 100, 255]),
        (np.array([[-100.0, 0.0, 100.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, np.nan, 1.0]], np.float32), [0, 0, 255]),
        (np.array([[-5, -5]], np.int32), [0, 0]),
    ],
)
def test_decode__deep_grey_tiff(
    values: np.ndarray[tuple[int, int], np.dtype[np.float32]], expected: list[int]
) -> None:
    decoded = decode(encoded(Image.fromarray(values), "TIFF"))
    assert decoded[0, :, 0].tolist() == expected


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_decode__transparent_becomes_white(mode: str) -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    picture = clear.quantize(4) if mode == "P" else clear.convert(mode)
    assert (decode(encoded(picture, "PNG")) == 255).all()


def test_decode__half_transparent_is_mixed_with_white() -> None:
    half = Image.new("RGBA", (4, 4), (255, 0, 0, 128))
    assert decode(encoded(half, "PNG"))[0, 0].tolist() == [255, 127, 127]


def test_decode__colour_key_becomes_white() -> None:
    content = encoded(Image.new("RGB", (4, 4), RED), "PNG", transparency=RED)
    assert decode(content)[0, 0].tolist() == list(WHITE)


def test_decode__palette_grey_and_one_bit() -> None:
    assert decode(encoded(quadrants().quantize(8), "PNG"))[8, 16].tolist() == list(RED)
    grey = decode(encoded(Image.new("L", (4, 4), 77), "PNG"))
    assert grey.shape == (4, 4, 3) and (grey == 77).all()
    assert (decode(encoded(Image.new("1", (4, 4), 1), "PNG")) == 255).all()


def test_decode__cmyk_jpeg() -> None:
    picture = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    decoded = decode(encoded(picture, "JPEG"))
    assert np.abs(decoded[0, 0].astype(int) - RED).max() < 8


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_decode__first_frame_of_an_animation(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, WHITE)]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert np.abs(decode(content)[0, 0].astype(int) - RED).max() < 8


def test_decode__stretches_to_the_size() -> None:
    decoded = decode(encoded(quadrants(), "PNG"), (50, 30))
    assert decoded.shape == (50, 30, 3)
    assert decoded[10, 5].tolist() == list(RED)
    assert decoded[45, 25].tolist() == list(WHITE)


def test_decode__own_size_is_unchanged() -> None:
    picture = noisy_picture(0.3, (20, 30))
    decoded = decode(encoded(picture, "PNG"), (20, 30))
    assert np.array_equal(decoded, np.asarray(picture))


def test_decode__reduced_jpeg_is_close_to_the_whole_one() -> None:
    coarse = noisy_picture(0.6, (16, 12)).resize((1200, 1600), Image.Resampling.BICUBIC)
    content = encoded(coarse, "JPEG", quality=95)
    whole = Image.open(io.BytesIO(content)).resize((96, 96), Image.Resampling.BILINEAR)
    difference = decode(content, (96, 96)).astype(int) - np.asarray(whole)
    assert np.abs(difference).max() <= 4


def test_decode__reduced_jpeg_never_falls_below_the_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []
    resize = Image.Image.resize

    def spy(picture: Image.Image, *args: object, **options: object) -> Image.Image:
        seen.append(picture.size)
        return resize(picture, *args, **options)

    monkeypatch.setattr(Image.Image, "resize", spy)
    exif = Image.Exif()
    exif[0x0112] = 6
    decode(encoded(quadrants(1600, 400), "JPEG", exif=exif), (800, 50))
    assert seen == [(800, 200)]


def test_decode__empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(ImageError, match=r"a\.jpg is empty \(0 bytes\)"):
        decode(tmp_path / "a.jpg")
    with pytest.raises(ImageError, match="The file is empty"):
        decode(b"")


def test_decode__text_named_jpg(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("not a picture at all")
    with pytest.raises(ImageError, match="not a picture in a known format"):
        decode(tmp_path / "a.jpg")


def test_decode__formats_that_run_programs_are_refused() -> None:
    with pytest.raises(ImageError, match="known format"):
        decode(encoded(quadrants(), "EPS"))


@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_decode__portable_pixmaps(mode: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 2), "white").convert(mode).save(buffer, "PPM")
    assert (decode(buffer.getvalue()) == 255).all()


def test_decode__a_pipe_is_refused_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(ImageError, match="a device or a pipe"):
        decode(tmp_path / "pipe.jpg")


def test_decode__missing_file(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"gone\.png does not exist"):
        decode(tmp_path / "gone.png")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_decode__cut_off(kind: str, share: float) -> None:
    content = encoded(noisy_picture(0.2, (64, 64)), kind)
    with pytest.raises(ImageError):
        decode(content[: int(len(content) * share)], (16, 16))


def test_decode__cut_off_heic() -> None:
    with pytest.raises(ImageError):
        decode(HEIC[:-40])


def test_decode__flipped_bytes_decode_or_are_image_errors() -> None:
    random = np.random.default_rng(0)
    for kind in ("JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP"):
        content = np.frombuffer(encoded(noisy_picture(0.1), kind), np.uint8)
        for _ in range(40):
            damaged = content.copy()
            at = random.integers(0, min(200, len(content)), 4)
            damaged[at] = random.integers(0, 256, 4)
            try:
                assert decode(damaged.tobytes(), (8, 8)).shape == (8, 8, 3)
            except ImageError:
                pass


def test_decode__too_many_pixels_is_seen_in_the_header() -> None:
    side = int(opening.MAX_PIXELS**0.5) + 1
    for claimed in (side, side * 10):
        header = struct.pack(">IIBBBBB", claimed, claimed, 8, 2, 0, 0, 0)
        content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")
        with pytest.raises(ImageError, match="claims .* million"):
            decode(content)


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def test_encode_thumbnail__keeps_proportions_and_never_enlarges() -> None:
    thumbnail = Image.open(io.BytesIO(encode_thumbnail(encoded(quadrants(), "PNG"))))
    assert thumbnail.format == "JPEG" and thumbnail.size == (64, 32)
    wide = encoded(quadrants(1000, 4), "PNG")
    assert Image.open(io.BytesIO(encode_thumbnail(wide, 100))).size == (100, 1)


def test_encode_thumbnail__damaged() -> None:
    with pytest.raises(ImageError):
        encode_thumbnail(encoded(quadrants(), "JPEG")[:200])


def png(kind: int, depth: int, row: bytes, *chunks: bytes) -> bytes:
    """A PNG of one row of four pixels; Pillow cannot write all kinds."""
    header = struct.pack(">IIBBBBB", 4, 1, depth, kind, 0, 0, 0)
    parts = [
        chunk(b"IHDR", header),
        *chunks,
        chunk(b"IDAT", zlib.compress(b"\0" + row)),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def test_decode__deep_grey_by_the_range_of_its_dataset() -> None:
    values = np.array([[1000, 1100, 1150, 1200, 4095]], np.uint16)
    deep = encoded(Image.fromarray(values), "PNG")
    assert decode(deep, grey=(1100, 1200))[0, :, 0].tolist() == [0, 0, 128, 255, 255]
    shallow = encoded(noisy_picture(0.2), "PNG")
    assert np.array_equal(decode(shallow, grey=(1100, 1200)), decode(shallow))


def test_decode__16_bit_grey_with_alpha_keeps_both_bytes() -> None:
    row = struct.pack(">8H", 1100, 65535, 1150, 65535, 1200, 65535, 1100, 0)
    decoded = decode(png(4, 16, row), grey=(1100, 1200))
    assert decoded[0, :, 0].tolist() == [0, 128, 255, 255]


@pytest.mark.parametrize(
    ("kind", "depth", "row", "clear"),
    [
        (0, 16, struct.pack(">4H", 0, 1000, 1001, 65535), [1000]),
        (0, 4, bytes([0x05, 0x6F]), [5]),
        (0, 2, bytes([0b00_01_10_11]), [1]),
        (2, 16, struct.pack(">12H", *[0] * 3, *[770] * 3, *[40000] * 6), [770] * 3),
    ],
)
def test_decode__the_transparent_value_of_a_png_has_the_files_depth(
    kind: int, depth: int, row: bytes, clear: list[int]
) -> None:
    transparent = chunk(b"tRNS", struct.pack(f">{len(clear)}H", *clear))
    with_it, without = (
        decode(png(kind, depth, row, transparent)),
        decode(png(kind, depth, row)),
    )
    assert (with_it[0, 1] == 255).all() and (without[0, 1] < 200).all()
    others = [0, 2, 3]
    assert np.array_equal(with_it[0, others], without[0, others])


def test_decode__around_a_small_first_frame_a_gif_is_white() -> None:
    whole = encoded(Image.new("P", (2, 2), 1), "GIF", optimize=False)
    palette = bytes([0, 0, 0, 255, 0, 0]) + bytes(6)
    frame = whole.index(b"\x2c") + 1
    screen = b"GIF89a" + struct.pack("<HHBBB", 6, 4, 0xF1, 0, 0) + palette
    placed = struct.pack("<HHHHB", 1, 1, 2, 2, 0)
    decoded = decode(screen + b"\x2c" + placed + whole[frame + 9 :])
    assert decoded[1:3, 1:3, 1].max() == 0
    decoded[1:3, 1:3] = 255
    assert decoded.shape == (4, 6, 3) and (decoded == 255).all()


def test_decode__only_pieces_are_laid_on_white(monkeypatch: pytest.MonkeyPatch) -> None:
    laid, composite = [], Image.alpha_composite

    def spy(below: Image.Image, above: Image.Image) -> Image.Image:
        laid.append(above.width * above.height)
        return composite(below, above)

    monkeypatch.setattr(Image, "alpha_composite", spy)
    picture = noisy_picture(0.3, (1300, 900)).convert("RGBA")
    picture.putalpha(Image.radial_gradient("L").resize(picture.size))
    decoded = decode(encoded(picture, "PNG"), (32, 40))
    assert len(laid) > 1 and max(laid) <= 512 * 512
    white = composite(Image.new("RGBA", picture.size, "white"), picture)
    whole = white.convert("RGB").resize(
        (40, 32), Image.Resampling.BILINEAR, reducing_gap=3.0
    )
    assert np.array_equal(decoded, np.asarray(whole))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"])
def test_decode__more_bytes_than_one_picture_may_take(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(memory, "MAX_BYTES", 64 * 32)
    with pytest.raises(ImageError, match="are given to a picture"):
        decode(encoded(quadrants(65, 32), kind))


def test_decode__a_webp_that_is_too_large_to_be_read_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(opening, "MAX_FILE_READ_WHOLE", 100)
    content = encoded(noisy_picture(0.2), "WEBP")
    (tmp_path / "a.webp").write_bytes(content)
    for source in (content, io.BytesIO(content), tmp_path / "a.webp"):
        with pytest.raises(ImageError, match="MB are read"):
            decode(source)
    assert decode(encoded(noisy_picture(0.2), "PNG")).ndim == 3


def test_levels__of_deep_grey_alone() -> None:
    values = np.arange(10_000, dtype=np.uint16).reshape(100, 100)
    found = decoding.levels(encoded(Image.fromarray(values), "PNG"))
    assert found == pytest.approx((0, 99.99, 9899.01, 9999))
    assert decoding.levels(encoded(noisy_picture(0.2), "PNG")) is None
    nothing = Image.fromarray(np.full((2, 2), np.nan, np.float32))
    assert decoding.levels(encoded(nothing, "TIFF")) is None
