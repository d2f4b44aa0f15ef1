"""What is refused before anything of a picture is decoded."""

import io

import numpy as np
import pytest
from PIL import Image

from transfer.datasets import decoding
from transfer.datasets.pixels import opening
from transfer.errors import ImageError


def progressive(more_scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", progressive=True)
    whole = buffer.getvalue()
    scan = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + more_scans * scan + b"\xff\xd9"


def test_open_picture__a_jpeg_that_goes_over_its_pixels_for_ever_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening, "MAX_SCANNED", 100 * 64 * 64)
    monkeypatch.setattr(opening, "_PIECE", 999)
    assert decoding.decode(progressive(50)).shape == (64, 64, 3)
    with pytest.raises(ImageError, match=r"has 10\d scans of 64 × 64 pixels"):
        decoding.decode(progressive(100))
