"""What a dataset says of how its files become pixels, and the function that does it.

Of pictures of deep grey it is a range of values, of sounds a `Spectrogram`; most
pictures need nothing, and their rendering is None.
"""

import hashlib
import io
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from transfer.datasets import decoding
from transfer.datasets.decoding import Grey, Resizing
from transfer.datasets.sounds import drawing
from transfer.datasets.sounds.spectrogram import Spectrogram

Rendering = Grey | Spectrogram

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

#: Colours of a spectrogram that people look at, from the floor to the loudest: darker
#: to brighter, as the eye tells them apart better than greys.
_COLOURS = np.array(
    [[8, 10, 30], [84, 24, 108], [200, 64, 88], [250, 160, 60], [252, 248, 190]]
)
#: Height of a spectrogram's thumbnail, as a share of its width.
_FLATNESS = 0.75


def decode(
    source: Path | bytes | BinaryIO,
    size: tuple[int, int],
    rendering: Rendering | None = None,
    resizing: Resizing = "stretch",
) -> Pixels:
    """What a model sees of a file, uint8 `(height, width, 3)`.

    Args:
        source: A file, its bytes, or a binary stream that can seek.
        size: `(height, width)` in pixels.
        rendering: Of its dataset.
        resizing: Of pictures; sounds are drawn in any size.

    Raises:
        ImageError: It cannot be read; of sounds a `SoundError`.
    """
    if isinstance(rendering, Spectrogram):
        return drawing.draw(source, size, rendering)
    return decoding.decode(source, size, rendering, resizing)


def encode_thumbnail(
    source: Path | bytes | BinaryIO,
    longest_side: int = 256,
    rendering: Rendering | None = None,
) -> bytes:
    """A small JPEG of a file, for people.

    Raises:
        ImageError: As `decode`.
    """
    if not isinstance(rendering, Spectrogram):
        return decoding.encode_thumbnail(source, longest_side, rendering)
    size = round(longest_side * _FLATNESS), longest_side
    shades = drawing.draw(source, size, rendering)[..., 0]
    stops = np.linspace(0, 255, len(_COLOURS))
    channels = [np.interp(np.arange(256), stops, one) for one in _COLOURS.T]
    table = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(table[shades]).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def key(rendering: Rendering | None) -> str:
    """The part of a cache's key that says how files become pixels.

    Features of pictures of 8 bits depend on no range and keep the keys that they had
    before there were others.
    """
    if isinstance(rendering, Spectrogram):
        later = Spectrogram._field_defaults
        # Datasets from before there were these fields keep their features.
        values = rendering._asdict().items()
        said = " ".join(
            f"{name}={value:.9g}" if name in later else f"{value:.9g}"
            for name, value in values
            if value != later.get(name)
        )
        return f"-sound-{hashlib.sha256(said.encode()).hexdigest()[:16]}"
    return "-grey-{:.9g}-{:.9g}".format(*rendering) if rendering else ""


def from_plain(values: Any) -> Rendering | None:
    """The rendering that JSON has made a list of; None for nothing."""
    if not values or values[0] is None:
        return None
    if len(values) == 2:  # black and white
        black, white = values
        return black, white
    rate, seconds, window, hop, bands, *others = values
    return Spectrogram(int(rate), seconds, window, hop, int(bands), *others)
