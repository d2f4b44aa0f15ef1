import numpy as np
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
