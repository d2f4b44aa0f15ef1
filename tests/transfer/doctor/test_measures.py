import numpy as np
import pytest
from PIL import ImageFilter

from tests.transfer.doctor.photographs import photograph
from transfer.doctor import measures


def test_measure__a_sharp_picture_and_the_same_one_blurred() -> None:
    sharp = photograph(0, 256).filter(ImageFilter.FIND_EDGES)
    blurred = sharp.filter(ImageFilter.GaussianBlur(5))
    before, after = (measures.measure(np.asarray(one)) for one in (sharp, blurred))
    assert after.blur > before.blur + 0.2


def test_measure__a_border_is_seen() -> None:
    pixels = np.array(photograph(0))
    assert measures.measure(pixels).border_spread > 5
    pixels[:3] = pixels[-3:] = pixels[:, :3] = pixels[:, -3:] = (255, 0, 0)
    found = measures.measure(pixels)
    assert found.border_spread == 0
    assert found.border.tolist() == [255, 0, 0]


def test_measure__one_pixel() -> None:
    found = measures.measure(np.full((1, 1, 3), 7, np.uint8))
    assert (found.low, found.spread, found.blur) == (7, 0, 0)


@pytest.mark.parametrize("shape", [(1, 5), (2, 2), (3, 1), (9, 100), (200, 120)])
def test_measure__each_pixel_of_the_border_counts_once(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (*shape, 3)).astype(np.uint8)
    wide, high = (max(1, round(side * 0.02)) for side in shape)
    is_inside = np.zeros(shape, bool)
    is_inside[wide:-wide, high:-high] = True
    found = measures.measure(pixels)
    np.testing.assert_allclose(found.border, pixels[~is_inside].mean(0), rtol=1e-5)


def test_blur__differences_that_are_lost_when_it_is_blurred() -> None:
    # A step stays where it is and becomes a ramp of nine pixels: 8/9 of it are lost.
    step = np.zeros((20, 20), np.uint8)
    step[10:] = 255
    assert measures.blur(step) == pytest.approx(1 / 9)
