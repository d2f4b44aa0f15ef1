"""Pictures from files: the one way in which the whole program decodes them."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pi_heif
from PIL import ExifTags, Image, UnidentifiedImageError

from transfer.errors import ImageError

IMAGE_EXTENSIONS = frozenset(
    ".jpg .jpeg .jpe .jfif .png .bmp .gif .webp .tif .tiff .heic .heif .avif "
    ".ppm .pgm .pbm .pnm".split()
)

#: Tried on a file whatever its extension says; others, such as EPS, run programs.
#: MPO, what some phones call .jpg, is found by way of JPEG.
_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "HEIF", "AVIF", "PPM")

#: Width times height. The largest phone cameras make 200 megapixels; one such picture
#: takes 600 MB decoded, and a file of a few kilobytes can claim any size.
MAX_PIXELS = 200_000_000

#: Steps that bring a picture of this EXIF orientation upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow's own limit would refuse such pictures, before ours can say why.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
pi_heif.register_heif_opener()


def decode(
    source: Path | bytes | BinaryIO, size: tuple[int, int] | None = None
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The picture as uint8 RGB `(height, width, 3)`, upright.

    Alpha is laid on white, deeper colours are scaled to 8 bits, an animation gives its
    first frame. With `size` the picture is stretched to fill it, with antialiased
    bilinear interpolation: the one geometry of training, evaluation, prediction and
    export. Nothing is cropped, so that no part of the object is lost. A JPEG much
    larger than `size` is decoded at reduced scale, never below `size`.

    Pillow releases the GIL while it decodes and resizes, so threads add up.

    Args:
        source: A file, its bytes, or a binary stream that can seek.
        size: `(height, width)` in pixels; the picture's own if not given.

    Raises:
        ImageError: It is no picture, damaged, cut off or larger than `MAX_PIXELS`.
    """
    with _opened(source) as image:
        return np.array(_upright_rgb(image, size))


def encode_thumbnail(source: Path | bytes | BinaryIO, longest_side: int = 256) -> bytes:
    """A small JPEG of the picture in its own proportions, never enlarged.

    Raises:
        ImageError: As `decode`.
    """
    with _opened(source) as image:
        width, height = image.size
        if _is_lying(image):
            width, height = height, width
        scale = min(1.0, longest_side / max(width, height))
        size = max(1, round(height * scale)), max(1, round(width * scale))
        buffer = io.BytesIO()
        _upright_rgb(image, size).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


@contextmanager
def _opened(source: Path | bytes | BinaryIO) -> Iterator[Image.Image]:
    """The opened, not yet decoded picture; whatever goes wrong is an `ImageError`."""
    name = source.name if isinstance(source, Path) else "The file"
    try:
        if isinstance(source, Path) and source.exists() and not source.is_file():
            raise ImageError(f"{name} is a folder, a device or a pipe, not a picture.")
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        with Image.open(stream, formats=_FORMATS) as image:
            _check_pixels(image, name)
            yield image
    except ImageError:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ImageError(f"{name} {_refusal(source, error)}.") from error
    except FileNotFoundError as error:
        raise ImageError(f"{name} does not exist.") from error
    except Exception as error:
        # Pillow's readers raise nearly anything on damaged files: OSError, SyntaxError,
        # ValueError, struct.error, IndexError, zlib.error.
        raise ImageError(f"{name} is damaged or cut off ({error}).") from error


def _check_pixels(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} claims {width} × {height} pixels; "
            f"at most {MAX_PIXELS // 1_000_000} million are read.",
            "Make the picture smaller.",
        )


def _refusal(source: Path | bytes | BinaryIO, error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return f"claims more than {MAX_PIXELS // 1_000_000} million pixels"
    if _is_empty(source):
        return "is empty (0 bytes)"
    return "is not a picture in a known format"


def _is_empty(source: Path | bytes | BinaryIO) -> bool:
    if isinstance(source, Path):
        return source.stat().st_size == 0
    if isinstance(source, bytes):
        return not source
    return source.seek(0, io.SEEK_END) == 0


def _upright_rgb(image: Image.Image, size: tuple[int, int] | None) -> Image.Image:
    """The picture in RGB, stretched to `(height, width)` where given, and upright."""
    orientation = _orientation(image)
    if size is not None:
        # Until it is turned, a picture that lies on its side has its axes swapped.
        height, width = size if orientation < 5 else size[::-1]
        image.draft(None, (width, height))
        picture = _rgb(image)
        if picture.size != (width, height):
            # Averaging boxes down to three times the size first changes grey levels by
            # at most one and makes this three times faster for 12 megapixels.
            picture = picture.resize(
                (width, height), Image.Resampling.BILINEAR, reducing_gap=3.0
            )
    else:
        picture = _rgb(image)
    turn = _TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation that is still to be applied, 1 to 8."""
    if image.format == "TIFF":
        return 1  # Pillow turns a TIFF by itself as it loads.
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        # Damaged EXIF data says nothing about the picture, which may be whole.
        return 1
    return value if value in _TURNS else 1


def _is_lying(image: Image.Image) -> bool:
    return _orientation(image) >= 5


def _rgb(image: Image.Image) -> Image.Image:
    image.load()
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _eight_bit(image).convert("RGB")
    if image.has_transparency_data:
        opaque = image.convert("RGBA")
        white = Image.new("RGBA", opaque.size, "white")
        return Image.alpha_composite(white, opaque).convert("RGB")
    return image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """The deep grey picture scaled to 8 bits; Pillow's `convert` would clip it."""
    values = np.nan_to_num(np.asarray(image).astype(np.float32))
    low, high = _grey_range(image.mode, float(values.min()), float(values.max()))
    grey = np.rint((values - low) * (255 / (high - low)))
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


def _grey_range(mode: str, low: float, high: float) -> tuple[float, float]:
    """The values that become black and white.

    Integers count as 16 bits; floats as fractions, 8 or 16 bits, whichever holds them.
    Pictures outside all of these, such as elevation maps, are spread over their own
    range.
    """
    whites = (1.0, 255.0, 65535.0) if mode == "F" else (65535.0,)
    for white in whites:
        if low >= 0 and high <= white:
            return 0.0, white
    return low, max(high, low + 1)
