import numpy as np
import pytest

from transfer.datasets import renderings
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.errors import SoundError

HOW = Spectrogram(8000, 1.0, 0.025, 0.01, 64, 50.0, 4000.0, 80.0)


def test_from_plain__gives_back_what_json_made_a_list_of() -> None:
    found = renderings.from_plain([float(value) for value in HOW])
    assert found == HOW
    assert isinstance(found, Spectrogram)
    assert isinstance(found.rate, int)
    assert renderings.from_plain([0.0, 255.0]) == (0.0, 255.0)
    assert renderings.from_plain(None) is None


def test_key__tells_every_parameter_apart() -> None:
    others = [
        HOW._replace(**{name: value * 2 + 1}) for name, value in HOW._asdict().items()
    ]
    assert len({renderings.key(one) for one in (HOW, *others)}) == 1 + len(HOW)


def test_key__of_datasets_with_the_first_parameters_alone_is_what_it_was() -> None:
    assert renderings.from_plain([*HOW[:8]]) == HOW
    assert renderings.key(HOW) == "-sound-c9311bb16b84d037"


def test_key__of_pictures_is_what_it_was() -> None:
    assert renderings.key(None) == ""
    assert renderings.key((0.0, 4095.0)) == "-grey-0-4095"


def test_decode__a_picture_is_no_sound() -> None:
    with pytest.raises(SoundError, match="not a sound"):
        renderings.decode(b"\x89PNG\r\n\x1a\n" + bytes(40), (8, 8), HOW)


def test_decode__a_sound_is_drawn_at_the_size(tone: bytes) -> None:
    pixels = renderings.decode(tone, (32, 48), HOW)
    assert pixels.shape == (32, 48, 3)
    assert pixels.dtype == np.uint8


def test_encode_thumbnail__is_a_jpeg_in_colours(tone: bytes) -> None:
    assert renderings.encode_thumbnail(tone, 64, HOW).startswith(b"\xff\xd8\xff")
