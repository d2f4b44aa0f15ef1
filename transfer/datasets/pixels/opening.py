"""Files as opened pictures: what is refused before anything of it is decoded."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pi_heif
from PIL import Image, UnidentifiedImageError

from transfer.datasets.pixels import deep_grey
from transfer.errors import ImageError

#: Tried on a file whatever its extension says; others, such as EPS, run programs.
#: MPO, what some phones call .jpg, is found by way of JPEG.
_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "HEIF", "AVIF", "PPM")

#: Width times height. The largest phone cameras make 200 megapixels, and a file of a
#: few kilobytes can claim any size.
MAX_PIXELS = 200_000_000

#: Pixels that all scans of a progressive JPEG go over together. Most have 10 scans, and
#: this takes a core three seconds.
MAX_SCANNED = 12 * MAX_PIXELS
#: What a scan begins with, and bytes that are searched for it at a time.
_SCAN, _PIECE = b"\xff\xda", 1 << 20

#: A WebP, HEIF or AVIF file, which has to be read whole to know its size in pixels.
MAX_FILE_READ_WHOLE = 128_000_000

# Pillow's own limit would refuse such pictures, before ours can say why.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
# Freed blocks below 32 MB, the C library's limit, are not always given back: six PNGs
# of 196 megapixels took 1.6 GB where they take 0.8.
Image.core.set_block_size(64 << 20)  # type: ignore[attr-defined]
pi_heif.register_heif_opener()


@contextmanager
def open_picture(source: Path | bytes | BinaryIO) -> Iterator[Image.Image]:
    """The opened, not yet decoded picture; whatever goes wrong is an `ImageError`."""
    name = source.name if isinstance(source, Path) else "The file"
    try:
        if isinstance(source, Path) and source.exists() and not source.is_file():
            raise ImageError(f"{name} is a folder, a device or a pipe, not a picture.")
        _check_file(source, name)
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        with Image.open(stream, formats=_FORMATS) as image:
            _check_pixels(image, name)
            _check_scans(image, name)
            _keep_all_of_png(image)
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


def _check_file(source: Path | bytes | BinaryIO, name: str) -> None:
    """Refuses what would be read whole and is too large for that."""
    size = _byte_count(source)
    if size <= MAX_FILE_READ_WHOLE:
        return
    start = _start(source)
    if start[4:8] == b"ftyp" or start[8:12] == b"WEBP":
        raise ImageError(
            f"{name} has {size / 1e6:,.0f} MB; at most {MAX_FILE_READ_WHOLE / 1e6:.0f} "
            "MB are read of a WebP, HEIC or AVIF file.",
            "Make the picture smaller.",
        )


def _check_pixels(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} claims {width} × {height} pixels; "
            f"at most {MAX_PIXELS // 1_000_000} million are read.",
            "Make the picture smaller.",
        )


def _check_scans(image: Any, name: str) -> None:
    """Refuses a JPEG that goes over its pixels too often.

    A few bytes can have each scan go over all of them, and nobody comes in between.
    """
    if image.format not in ("JPEG", "MPO") or not image.info.get("progressive"):
        return
    place = image.fp.tell()
    image.fp.seek(0)
    scans, end = 0, b""
    while piece := image.fp.read(_PIECE):
        scans += (end + piece).count(_SCAN)
        end = piece[-1:]
    image.fp.seek(place)
    if scans * image.width * image.height > MAX_SCANNED:
        raise ImageError(
            f"{name} has {scans:,} scans of {image.width} × {image.height} pixels; "
            f"at most {MAX_SCANNED // 1_000_000:,} million pixels are gone over.",
            "Save the picture anew.",
        )


def _refusal(source: Path | bytes | BinaryIO, error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return f"claims more than {MAX_PIXELS // 1_000_000} million pixels"
    if _is_empty(source):
        return "is empty (0 bytes)"
    return "is not a picture in a known format"


def _is_empty(source: Path | bytes | BinaryIO) -> bool:
    return _byte_count(source) == 0


def _byte_count(source: Path | bytes | BinaryIO) -> int:
    if isinstance(source, Path):
        return source.stat().st_size
    if isinstance(source, bytes):
        return len(source)
    return source.seek(0, io.SEEK_END)


def _start(source: Path | bytes | BinaryIO) -> bytes:
    if isinstance(source, bytes):
        return source[:12]
    if isinstance(source, Path):
        with source.open("rb") as file:
            return file.read(12)
    source.seek(0)
    return source.read(12)


def _keep_all_of_png(image: Image.Image) -> None:
    """Has Pillow keep what it drops of a PNG.

    It reads the upper byte of 16-bit grey with alpha, and compares the transparent
    value, which has the file's depth, with values of 8 bits.
    """
    if image.format != "PNG" or not image.tile:  # type: ignore[attr-defined]
        return
    (tile, *_) = image.tile  # type: ignore[attr-defined]
    clear = image.info.get("transparency")
    if tile.args == "LA;16B":
        image.tile = [tile._replace(args="RGBA")]  # type: ignore[attr-defined]
        image.info[deep_grey.SPREAD] = True
    elif tile.args in ("L;2", "L;4") and isinstance(clear, int):
        image.info["transparency"] = clear * {"L;2": 85, "L;4": 17}[tile.args]
    elif tile.args == "RGB;16B" and isinstance(clear, tuple):
        image.info["transparency"] = tuple(one >> 8 for one in clear)
