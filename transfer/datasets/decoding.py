"""Pictures from files: the one way in which the whole program decodes them."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from transfer.errors import ImageError

IMAGE_EXTENSIONS = frozenset(
    ".jpg .jpeg .jpe .jfif .png .bmp .gif .webp .tif .tiff .heic .heif .avif "
    ".ppm .pgm .pbm .pnm".split()
)

#: Tried on a file whatever its extension says; others, such as EPS, run programs.
#: MPO, what some phones call .jpg, is found by way of JPEG.
_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "HEIF", "AVIF", "PPM")

#: Width times height. The largest phone cameras make 200 megapixels, and a file of a
#: few kilobytes can claim any size.
MAX_PIXELS = 200_000_000

#: What decoding may take: one picture, and all that are decoded at the same time.
MAX_BYTES, ALL_BYTES = 920_000_000, 1_000_000_000

#: A WebP, HEIF or AVIF file, which has to be read whole to know its size in pixels.
MAX_FILE_READ_WHOLE = 128_000_000

#: Pixels of a side of the pieces whose colours are converted one by one. A whole
#: picture with transparency would take five times its size.
_PIECE = 512

#: The values that become black and white where grey is deeper than 8 bits.
Grey = tuple[float, float]
_Box = tuple[int, int, int, int]
_Values = NDArray[np.float32]

#: Marks a PNG of 16-bit grey with alpha: both bytes of each are read as four colours.
_SPREAD = "both bytes of grey, both of alpha"

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
# Freed blocks below 32 MB, the C library's limit, are not always given back: six PNGs
# of 196 megapixels took 1.6 GB where they take 0.8.
Image.core.set_block_size(64 << 20)  # type: ignore[attr-defined]
pi_heif.register_heif_opener()


class Levels(NamedTuple):
    """Which values a picture of deep grey has; those that are no numbers left out.

    Attributes:
        lowest: The lowest.
        low: One in a hundred is lower.
        high: One in a hundred is higher.
        highest: The highest.
    """

    lowest: float
    low: float
    high: float
    highest: float


def decode(
    source: Path | bytes | BinaryIO,
    size: tuple[int, int] | None = None,
    grey: Grey | None = None,
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The picture as uint8 RGB `(height, width, 3)`, upright.

    Alpha is laid on white, deeper colours are scaled to 8 bits, an animation gives its
    first frame. With `size` the picture is stretched to fill it, with antialiased
    bilinear interpolation: the one geometry of training, evaluation, prediction and
    export. Nothing is cropped, so that no part of the object is lost. A JPEG much
    larger than `size` is decoded at reduced scale, never below `size`.

    Pillow releases the GIL while it decodes and resizes, so threads add up; those whose
    pictures take more than `ALL_BYTES` together wait for each other.

    Args:
        source: A file, its bytes, or a binary stream that can seek.
        size: `(height, width)` in pixels; the picture's own if not given.
        grey: What becomes black and white in a picture of deep grey; if not given, its
            own values decide. Pictures of 8 bits do not depend on it.

    Raises:
        ImageError: It is no picture, damaged, cut off, larger than `MAX_PIXELS`, or
            takes more than `MAX_BYTES`.
    """
    with _opened(source) as image:
        return np.array(_upright_rgb(image, size, grey))


def encode_thumbnail(
    source: Path | bytes | BinaryIO, longest_side: int = 256, grey: Grey | None = None
) -> bytes:
    """A small JPEG of the picture in its own proportions, never enlarged.

    Raises:
        ImageError: As `decode`.
    """
    buffer = io.BytesIO()
    with _opened(source) as image:
        _upright_rgb(image, longest_side, grey).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def levels(source: Path | bytes | BinaryIO) -> Levels | None:
    """The values of a picture of deep grey; None for any other, or without numbers.

    Raises:
        ImageError: As `decode`.
    """
    with _opened(source) as image:
        if not _is_deep(image):
            return None
        with _room.taken(_needed_bytes(image, image.width * image.height)):
            found = _levels(_loaded(image))
            _empty(image)
        return found


@contextmanager
def _opened(source: Path | bytes | BinaryIO) -> Iterator[Image.Image]:
    """The opened, not yet decoded picture; whatever goes wrong is an `ImageError`."""
    name = source.name if isinstance(source, Path) else "The file"
    try:
        if isinstance(source, Path) and source.exists() and not source.is_file():
            raise ImageError(f"{name} is a folder, a device or a pipe, not a picture.")
        _check_file(source, name)
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        with Image.open(stream, formats=_FORMATS) as image:
            _check_pixels(image, name)
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
        image.info[_SPREAD] = True
    elif tile.args in ("L;2", "L;4") and isinstance(clear, int):
        image.info["transparency"] = clear * {"L;2": 85, "L;4": 17}[tile.args]
    elif tile.args == "RGB;16B" and isinstance(clear, tuple):
        image.info["transparency"] = tuple(one >> 8 for one in clear)


class _Room:
    """Bytes that threads take for a while; who wants more than is left waits."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._turn, self._given_back = threading.Lock(), threading.Condition()

    @contextmanager
    def taken(self, needed: int) -> Iterator[None]:
        # One waits at a time, so that small pictures do not pass by a large one.
        with self._turn, self._given_back:
            self._given_back.wait_for(lambda: self._left >= needed)
            self._left -= needed
        try:
            yield
        finally:
            with self._given_back:
                self._left += needed
                self._given_back.notify()


_room = _Room(ALL_BYTES)


def _needed_bytes(image: Image.Image, pixels: int, small: int = 0) -> int:
    """What decoding takes at its worst; measured for each format.

    Args:
        image: The picture, not yet decoded; a JPEG at the scale that it will have.
        pixels: Number of pixels in the file.
        small: Number of pixels of what is made of it.

    Raises:
        ImageError: It is more than `MAX_BYTES`.
    """
    needed = 4 * small + int(_decoded_bytes(image, pixels))
    if needed > MAX_BYTES:
        raise ImageError(
            f"{pixels / 1e6:.0f} million pixels of {image.format} take "
            f"{needed / 1e9:.1f} GB of memory; at most {MAX_BYTES / 1e9:.1f} GB are "
            "given to a picture.",
            "Make the picture smaller or save it as JPEG, which takes less.",
        )
    return needed


def _decoded_bytes(image: Image.Image, pixels: int) -> float:
    if image.format in ("WEBP", "AVIF"):
        return 16 * pixels
    if image.format == "PPM" and image.tile[0].codec_name != "raw":  # type: ignore[attr-defined]
        return 12 * pixels  # Pillow reads these in Python
    if image.format == "HEIF":
        return _heif_bytes(image, pixels)
    each = {"1": 1, "L": 1, "P": 1}.get(image.mode, 4)
    if image.mode.startswith("I;16"):
        each = 2
    decoded = each * image.width * image.height
    if image.format in ("JPEG", "MPO"):
        return decoded + _coefficient_bytes(image, pixels)
    if image.format == "TIFF":
        return decoded + _strip_bytes(image)
    return decoded


def _heif_bytes(image: Image.Image, pixels: int) -> float:
    """Brightness, colours and alpha as they are kept, and what is made of them."""
    bands = len(image.getbands())
    colours = {420: 1.5, 422: 2.0}.get(image.info.get("chroma", 0), 3.0)
    of_pixel = colours + (bands in (2, 4)) + bands
    return pixels * of_pixel * (2 if image.info.get("bit_depth", 8) > 8 else 1)


def _coefficient_bytes(image: Any, pixels: int) -> float:
    """All that a JPEG of several scans holds; one of a single scan goes row by row."""
    layers: list[tuple[int, int, int, int]] = image.layer
    if not image.info.get("progressive") and _first_scan(image.fp) == len(layers):
        return 0.0
    densest = max(one[1] for one in layers) * max(one[2] for one in layers)
    return 2.0 * pixels * sum(one[1] * one[2] for one in layers) / densest


def _first_scan(file: BinaryIO) -> int:
    """Number of colours in the first scan of a JPEG; 0 where it is not found."""
    file.seek(2)
    while (marker := file.read(4))[:1] == b"\xff":
        if marker[1:2] == b"\xda":
            return int.from_bytes(file.read(1))
        file.seek(max(0, int.from_bytes(marker[2:]) - 2), io.SEEK_CUR)
    return 0


def _strip_bytes(image: Any) -> float:
    """The largest strip or tile of a TIFF that is unpacked on its way, and a turn."""
    tags, (width, height) = image.tag_v2, image.size
    turned = 0.0 if tags.get(274, 1) == 1 else 4.0 * width * height
    if not image.tile or image.tile[0].codec_name != "libtiff":
        return turned
    rows = tags.get(323) or min(tags.get(278, height), height)
    strip: float = sum(tags.get(258, (1,))) / 8 * rows * tags.get(322, width)
    return turned + strip


class _Loaded(NamedTuple):
    """A decoded picture.

    Attributes:
        size: Width and height in pixels.
        cut: Gives the piece inside a box `(left, upper, right, lower)`.
    """

    size: tuple[int, int]
    cut: Callable[[_Box], Image.Image]

    def pieces(
        self, reduced: tuple[int, int] = (1, 1)
    ) -> Iterator[tuple[int, int, Image.Image]]:
        """Left and upper edge of each piece, and the piece.

        Args:
            reduced: Numbers of columns and rows that will become one.
        """
        (width, height), (columns, rows) = self.size, reduced
        across, down = (each * max(1, _PIECE // each) for each in reduced)
        for upper in range(0, height, down):
            lower = min(upper + down, height)
            for left in range(0, width, across):
                right = min(left + across, width)
                piece = self.cut((left, upper, right, lower))
                yield left // columns, upper // rows, piece


def _loaded(image: Image.Image) -> _Loaded:
    if image.format == "HEIF":
        return _loaded_heif(image)
    frame = image.tile[0].extents if image.format == "GIF" else None  # type: ignore[attr-defined]
    image.load()
    if frame and frame != (0, 0, *image.size) and "transparency" not in image.info:
        return _Loaded(image.size, lambda box: _framed(image, frame, box))
    return _Loaded(image.size, image.crop)


def _loaded_heif(image: Any) -> _Loaded:
    """The picture in libheif's own memory; Pillow would copy it whole."""
    image.fp.seek(0)
    heif = pi_heif.open_heif(image.fp, convert_hdr_to_8bit=True)
    (width, height), bands = heif.size, len(heif.mode)
    lines = np.frombuffer(heif.data, np.uint8)[: height * heif.stride]
    pixels = lines.reshape(height, heif.stride)[:, : width * bands]

    def cut(box: _Box) -> Image.Image:
        left, upper, right, lower = box
        piece = pixels[upper:lower, left * bands : right * bands].tobytes()
        # Naming `heif` here keeps it, and with it the memory, until the end.
        return Image.frombytes(heif.mode, (right - left, lower - upper), piece)

    return _Loaded(heif.size, cut)


def _framed(image: Image.Image, frame: _Box, box: _Box) -> Image.Image:
    """A piece of the first frame of a GIF, clear where the frame does not reach."""
    piece = image.crop(box).convert("RGBA")
    left, upper = max(frame[0], box[0]), max(frame[1], box[1])
    right, lower = min(frame[2], box[2]), min(frame[3], box[3])
    clear = Image.new("RGBA", piece.size)
    if left < right and upper < lower:
        inside = (left - box[0], upper - box[1], right - box[0], lower - box[1])
        clear.paste(piece.crop(inside), inside)
    return clear


def _upright_rgb(
    image: Image.Image, size: tuple[int, int] | int | None, grey: Grey | None
) -> Image.Image:
    """The picture in RGB, upright.

    Args:
        image: Opened, not yet decoded.
        size: `(height, width)` to stretch it to, or the longest side that it may have.
        grey: As in `decode`.
    """
    pixels, is_png = image.width * image.height, image.format == "PNG"
    with ExitStack() as stack:
        if is_png:  # Pillow decodes it to find the orientation
            side = size if isinstance(size, int) else max(size or image.size)
            small = _small_pixels(image, (side, side) if size else None)
            stack.enter_context(_room.taken(_needed_bytes(image, pixels, small)))
        orientation = _orientation(image)
        wanted = _wanted(image.size, size, orientation)
        if wanted is not None:
            image.draft(None, wanted)
        if not is_png:
            needed = _needed_bytes(image, pixels, _small_pixels(image, wanted))
            stack.enter_context(_room.taken(needed))
        if _is_plain(image):
            image.load()
            picture = _stretched(image, wanted)
        else:
            picture = _converted(_loaded(image), wanted, grey, image.mode)
            if profile := image.info.get("icc_profile"):
                picture.info["icc_profile"] = profile  # browsers show its colours
        if picture is not image:
            _empty(image)
    turn = _TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def _wanted(
    own: tuple[int, int], size: tuple[int, int] | int | None, orientation: int
) -> tuple[int, int] | None:
    """Width and height before it is turned: till then its axes may be swapped."""
    if isinstance(size, int):
        scale = min(1.0, size / max(own))
        return max(1, round(own[0] * scale)), max(1, round(own[1] * scale))
    if size is None:
        return None
    return size if orientation >= 5 else (size[1], size[0])


def _is_plain(image: Image.Image) -> bool:
    """Whether Pillow has it in RGB as it is."""
    is_rgb = image.mode == "RGB" and image.format not in ("HEIF", "GIF")
    return is_rgb and not image.has_transparency_data


def _small_pixels(image: Image.Image, wanted: tuple[int, int] | None) -> int:
    """Pixels of what `_converted` makes first."""
    if _is_plain(image):
        return 0
    columns, rows = _reduction(image.size, wanted)
    return -(-image.width // columns) * -(-image.height // rows)


def _reduction(
    size: tuple[int, int], wanted: tuple[int, int] | None
) -> tuple[int, int]:
    """How many columns and rows are averaged before the picture is stretched.

    Averaging down to three times the size first changes grey levels by at most one and
    makes this three times faster for 12 megapixels. It is what Pillow does itself with
    `reducing_gap=3.0`, here for pieces of the picture.
    """
    if wanted is None:
        return 1, 1
    columns, rows = (int(a / b / 3.0) or 1 for a, b in zip(size, wanted, strict=True))
    return columns, rows


def _empty(image: Image.Image) -> None:
    """Frees the pixels before others take their room; its file stays open."""
    image.im = Image.new("1", (1, 1)).im


def _converted(
    loaded: _Loaded, wanted: tuple[int, int] | None, grey: Grey | None, mode: str
) -> Image.Image:
    """The picture in RGB at the wanted size, converted and made smaller in pieces."""
    (width, height), reduced = loaded.size, _reduction(loaded.size, wanted)
    columns, rows = reduced
    small = Image.new("RGB", (-(-width // columns), -(-height // rows)))
    own = grey
    for left, upper, piece in loaded.pieces(reduced):
        if _is_deep(piece):
            own = own or _own_range(loaded, mode)
            piece = _eight_bit(piece, own)
        small.paste(_on_white(piece).reduce(reduced), (left, upper))
    if wanted is None or loaded.size == wanted:
        return small
    box = (0, 0, width / columns, height / rows)
    return small.resize(wanted, Image.Resampling.BILINEAR, box)


def _stretched(image: Image.Image, wanted: tuple[int, int] | None) -> Image.Image:
    if wanted is None or image.size == wanted:
        return image
    return image.resize(wanted, Image.Resampling.BILINEAR, reducing_gap=3.0)


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


def _on_white(piece: Image.Image) -> Image.Image:
    """The piece in RGB; where it is clear, white."""
    if piece.has_transparency_data:
        opaque = piece.convert("RGBA")
        white = Image.new("RGBA", opaque.size, "white")
        piece = Image.alpha_composite(white, opaque)
    return piece.convert("RGB")


def _is_deep(image: Image.Image) -> bool:
    deep = image.mode in ("I", "F") or image.mode.startswith("I;16")
    return deep or _SPREAD in image.info


def _eight_bit(piece: Image.Image, grey: Grey) -> Image.Image:
    """Deep grey scaled to 8 bits; Pillow's `convert` would clip it."""
    (low, high), (values, alpha) = grey, _deep(piece)
    scaled = np.rint((np.nan_to_num(values) - low) * (255 / (high - low)))
    shown = Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))
    if alpha is None:
        return shown
    return Image.merge("LA", (shown, Image.fromarray(alpha)))


def _deep(piece: Image.Image) -> tuple[_Values, NDArray[np.uint8] | None]:
    """The values of deep grey, and alpha where there is any."""
    pixels = np.asarray(piece)
    if _SPREAD in piece.info:
        values = pixels[..., 0] * np.float32(256) + pixels[..., 1]
        return values, np.ascontiguousarray(pixels[..., 2])
    values, clear = pixels.astype(np.float32), piece.info.get("transparency")
    if not isinstance(clear, int):
        return values, None
    return values, np.where(values == clear, 0, 255).astype(np.uint8)


def _levels(loaded: _Loaded) -> Levels | None:
    step = -(-loaded.size[0] * loaded.size[1] // 1_000_000)  # a million tell enough
    some, extremes = [], []
    for _, _, piece in loaded.pieces():
        values, alpha = _deep(piece)
        seen = (
            np.isfinite(values) if alpha is None else np.isfinite(values) & (alpha > 0)
        )
        if seen.any():
            found = values[seen]
            extremes += [found.min(), found.max()]
            some.append(found[::step])
    if not some:
        return None
    low, high = np.percentile(np.concatenate(some), (1, 99))
    return Levels(*map(float, (min(extremes), low, high, max(extremes))))


def _own_range(loaded: _Loaded, mode: str) -> Grey:
    """The values that become black and white where only the picture itself is known.

    Integers count as 16 bits; floats as fractions, 8 or 16 bits, whichever holds them.
    Pictures outside all of these, such as elevation maps, are spread over their own
    range.
    """
    low, high = np.inf, -np.inf
    for _, _, piece in loaded.pieces():
        values = np.nan_to_num(_deep(piece)[0])
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    whites = (1.0, 255.0, 65535.0) if mode == "F" else (65535.0,)
    for white in whites:
        if low >= 0 and high <= white:
            return 0.0, white
    return low, max(high, low + 1)
