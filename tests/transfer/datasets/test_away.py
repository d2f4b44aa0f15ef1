"""Pictures of strangers are decoded in a process of their own, which has limits."""

import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from transfer.datasets import away, renderings
from transfer.datasets.away import Decoder
from transfer.errors import ImageError


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    made = Decoder(limit=60)
    yield made
    made.close()


def test_encode_thumbnail__is_that_of_this_process(picture: Path) -> None:
    assert away.encode_thumbnail(picture) == renderings.encode_thumbnail(picture)
    content = picture.read_bytes()
    grey = (0.0, 100.0)
    expected = renderings.encode_thumbnail(content, 20, grey)
    assert away.encode_thumbnail(content, 20, grey) == expected


@pytest.mark.parametrize("resizing", ["stretch", "crop", "fit"])
def test_decode__is_that_of_this_process(
    picture: Path, resizing: renderings.Resizing
) -> None:
    found = away.decode(picture, (16, 24), None, resizing)
    expected = renderings.decode(picture, (16, 24), None, resizing)
    np.testing.assert_array_equal(found, expected)


def test_check__damaged_bytes_are_refused(picture: Path) -> None:
    away.check(picture.read_bytes())
    with pytest.raises(ImageError, match="damaged or cut off"):
        away.check(picture.read_bytes()[:200])


def test_ask__a_decompression_bomb_is_refused_and_the_next_picture_shown(
    picture: Path, tmp_path: Path, decoder: Decoder
) -> None:
    bomb = bytearray(picture.read_bytes())
    bomb[16:20] = (20_000_000).to_bytes(4)
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4)
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises(ImageError, match="million"):
        decoder.ask(path=str(tmp_path / "bomb.png"))
    assert decoder.ask(path=str(picture))


def test_ask__a_picture_without_end_ends_the_process_not_this_one(
    picture: Path, monkeypatch: pytest.MonkeyPatch, decoder: Decoder
) -> None:
    asleep = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    monkeypatch.setattr(decoder, "_process", asleep)
    monkeypatch.setattr(decoder, "_limit", 0.2)
    with pytest.raises(ImageError, match=r"longer than 0\.2 seconds"):
        decoder.ask(path=str(picture))
    assert asleep.poll() is not None
    monkeypatch.setattr(decoder, "_limit", 60)
    assert decoder.ask(path=str(picture))


def test_ask__a_process_that_ended_is_said(picture: Path, decoder: Decoder) -> None:
    decoder._process = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with pytest.raises(ImageError, match="the process that decodes it ended"):
        decoder.ask(path=str(picture))
    assert decoder.ask(path=str(picture))
