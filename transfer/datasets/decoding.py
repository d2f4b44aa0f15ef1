"""Pictures from files: the one way in which the whole program decodes them.

This file and those of `pixels/` go into every export as they are, so they import
nothing of ours but each other and errors.
"""

import io
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image

from transfer.datasets.pixels import deep_grey, memory, opening, pieces, resize
from transfer.datasets.pixels.deep_grey import Grey, Levels
from transfer.datasets.pixels.pieces import Pixels
from transfer.datasets.pixels.resize import Resizing

#: What others take from here; the parts that it is made of are nobody else's.
__all__ = [
    "IMAGE_EXTENSIONS",
    "Grey",
    "Levels",
    "Resizing",
    "decode",
    "decode_opened",
    "encode_thumbnail",
    "levels",
    "thumbnail",
]

IMAGE_EXTENSIONS = frozenset(
    ".jpg .jpeg .jpe .jfif .png .bmp .gif .webp .tif .tiff .heic .heif .avif "
    ".ppm .pgm .pbm .pnm".split()
)

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


def decode(
    source: Path | bytes | BinaryIO,
    size: tuple[int, int] | None = None,
    grey: Grey | None = None,
    resizing: Resizing = "stretch",
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The picture as uint8 RGB `(height, width, 3)`, upright.

    Alpha is laid on white, deeper colours are scaled to 8 bits, an animation gives its
    first frame. With `size` the picture is brought to it with antialiased bilinear
    interpolation, alike in training, evaluation, prediction and export. A JPEG much
    larger than what it becomes is decoded at reduced scale, never below that.

    Pillow releases the GIL while it decodes and resizes, so threads add up; those whose
    pictures take more than `memory.ALL_BYTES` together wait for each other.

    Args:
        source: A file, its bytes, or a binary stream that can seek.
        size: `(height, width)` in pixels; the picture's own if not given.
        grey: What becomes black and white in a picture of deep grey; if not given, its
            own values decide. Pictures of 8 bits do not depend on it.
        resizing: `stretch` fills the size and changes shapes; `crop` takes the middle;
            `fit` takes all of it, with a border. Of a picture that has the proportions
            of the size they are the same.

    Raises:
        ImageError: It is no picture, damaged, cut off, larger than
            `opening.MAX_PIXELS`, or takes more than `memory.MAX_BYTES`.
    """
    with opening.open_picture(source) as image:
        return decode_opened(image, size, grey, resizing)


def decode_opened(
    image: Image.Image,
    size: tuple[int, int] | None = None,
    grey: Grey | None = None,
    resizing: Resizing = "stretch",
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The same of a picture that `opening.open_picture` opened; it can do so once."""
    return np.array(_upright_rgb(image, size, grey, resizing))


def encode_thumbnail(
    source: Path | bytes | BinaryIO, longest_side: int = 256, grey: Grey | None = None
) -> bytes:
    """A small JPEG of the picture in its own proportions, never enlarged.

    Raises:
        ImageError: As `decode`.
    """
    return thumbnail(source, longest_side, grey)[0]


def thumbnail(
    source: Path | bytes | BinaryIO, longest_side: int = 256, grey: Grey | None = None
) -> tuple[bytes, Image.Image]:
    """The same, and the RGB picture that it was made of.

    Raises:
        ImageError: As `decode`.
    """
    buffer = io.BytesIO()
    with opening.open_picture(source) as image:
        small = _upright_rgb(image, longest_side, grey)
        small.save(buffer, "JPEG", quality=85)
        return buffer.getvalue(), small.copy()


def levels(source: Path | bytes | BinaryIO) -> Levels | None:
    """The values of a picture of deep grey; None for any other, or without numbers.

    Raises:
        ImageError: As `decode`.
    """
    with opening.open_picture(source) as image:
        if not deep_grey.is_deep(image):
            return None
        with memory.room.take(memory.needed_bytes(image, image.width * image.height)):
            found = deep_grey.find_levels(pieces.load(image))
            memory.free_pixels(image)
        return found


def _upright_rgb(
    image: Image.Image,
    size: tuple[int, int] | int | None,
    grey: Grey | None,
    resizing: Resizing = "stretch",
) -> Image.Image:
    """The picture in RGB, upright.

    Args:
        image: Opened, not yet decoded.
        size: `(height, width)` to bring it to, or the longest side that it may have.
        grey: As in `decode`.
        resizing: As in `decode`.
    """
    pixels, is_png = image.width * image.height, image.format == "PNG"
    with ExitStack() as stack:
        if is_png:  # Pillow decodes it to find the orientation
            side = size if isinstance(size, int) else max(size or image.size)
            small = _small_pixels(image, (side, side) if size else None, resizing)
            stack.enter_context(
                memory.room.take(memory.needed_bytes(image, pixels, small))
            )
        orientation = _orientation(image)
        wanted = _target_size(image.size, size, orientation)
        if wanted is not None:
            wanted = resize.size_inside(image.size, wanted, resizing)
            # Only JPEG heeds it: of 12 megapixels a few percent are decoded then.
            image.draft(None, wanted)
        if not is_png:
            small = _small_pixels(image, wanted, resizing)
            needed = memory.needed_bytes(image, pixels, small)
            stack.enter_context(memory.room.take(needed))
        if _is_plain(image):
            image.load()
            picture = _shrink(image, wanted, resizing)
        else:
            picture = _convert(pieces.load(image), wanted, resizing, grey, image.mode)
            if profile := image.info.get("icc_profile"):
                picture.info["icc_profile"] = profile  # browsers show its colours
        if picture is not image:
            memory.free_pixels(image)
    # Last, when it is small.
    turn = _TURNS.get(orientation)
    upright = picture if turn is None else picture.transpose(turn)
    if isinstance(size, tuple) and upright.size != (size[1], size[0]):
        return resize.add_border(upright, (size[1], size[0]))
    return upright


def _target_size(
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


def _small_pixels(
    image: Image.Image, wanted: tuple[int, int] | None, resizing: Resizing
) -> int:
    """Pixels of what `_convert` makes first."""
    if _is_plain(image):
        return 0
    columns, rows = _reduction(image.size, wanted, resizing)
    return -(-image.width // columns) * -(-image.height // rows)


def _reduction(
    size: tuple[int, int], wanted: tuple[int, int] | None, resizing: Resizing
) -> tuple[int, int]:
    """How many columns and rows are averaged before the picture is made smaller.

    Averaging down to three times the size first changes grey levels by at most one and
    makes this three times faster for 12 megapixels. It is what Pillow does itself with
    `reducing_gap=3.0`, here for pieces of the picture.
    """
    if wanted is None:
        return 1, 1
    left, upper, right, lower = resize.part_taken(size, wanted, resizing)
    taken = right - left, lower - upper
    columns, rows = (int(a / b / 3.0) or 1 for a, b in zip(taken, wanted, strict=True))
    return columns, rows


def _convert(
    pixels: Pixels,
    wanted: tuple[int, int] | None,
    resizing: Resizing,
    grey: Grey | None,
    mode: str,
) -> Image.Image:
    """The picture in RGB at the wanted size, converted and made smaller in pieces."""
    width, height = pixels.size
    columns, rows = reduced = _reduction(pixels.size, wanted, resizing)
    small = Image.new("RGB", (-(-width // columns), -(-height // rows)))
    own = grey
    for left, upper, piece in pixels.pieces(reduced):
        if deep_grey.is_deep(piece):
            # One for the whole picture, or the edges of its pieces would show.
            own = own or deep_grey.own_range(pixels, mode)
            piece = deep_grey.to_eight_bits(piece, own)
        small.paste(_on_white(piece).reduce(reduced), (left, upper))
    if wanted is None or pixels.size == wanted:
        return small
    box = resize.part_taken(pixels.size, wanted, resizing)
    reduced_box = (box[0] / columns, box[1] / rows, box[2] / columns, box[3] / rows)
    return small.resize(wanted, Image.Resampling.BILINEAR, reduced_box)


def _shrink(
    image: Image.Image, wanted: tuple[int, int] | None, resizing: Resizing
) -> Image.Image:
    if wanted is None or image.size == wanted:
        return image
    box = resize.part_taken(image.size, wanted, resizing)
    return image.resize(wanted, Image.Resampling.BILINEAR, box, reducing_gap=3.0)


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
