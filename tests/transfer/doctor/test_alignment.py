import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.transfer.doctor.photographs import photograph, small_grey
from transfer.doctor import alignment


def crop(picture: Image.Image, share: float) -> Image.Image:
    side = round(picture.width * (1 - share))
    return picture.crop((9, 6, 9 + side, 6 + side))


CHANGES = {
    "smaller": lambda one: one.resize((50, 50)),
    "cropped": lambda one: crop(one, 0.1),
    "cropped much": lambda one: crop(one, 0.2),
    "cropped at a corner": lambda one: one.crop((26, 26, 128, 128)),
    "mirrored": ImageOps.mirror,
    "turned": lambda one: one.rotate(10, Image.Resampling.BILINEAR),
    "lighter": lambda one: one.point(lambda level: 60 + level * 0.6),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_align__a_changed_picture_lies_over_itself(change: str) -> None:
    pictures = [photograph(seed) for seed in range(4)]
    changed = [CHANGES[change](one) for one in pictures]
    found = alignment.align(
        np.stack([small_grey(one) for one in pictures]),
        np.stack([small_grey(one) for one in changed]),
    )
    assert np.all(found.detail > 0.8)
    assert np.all(found.mirrored == (change == "mirrored"))


def test_align__tells_the_scale_of_a_crop() -> None:
    picture = photograph(5)
    found = alignment.align(
        small_grey(crop(picture, 0.2))[None], small_grey(picture)[None]
    )
    assert found.scale == pytest.approx([0.8], abs=0.03)


def test_align__pictures_of_other_things_share_no_detail() -> None:
    greys = np.stack([small_grey(photograph(seed)) for seed in range(12)])
    assert np.all(alignment.align(greys[:6], greys[6:]).detail < 0.5)
