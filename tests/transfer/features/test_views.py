"""Random views of an image: repeatable, of the same size, each change on its own."""

import numpy as np
import pytest
from numpy.typing import NDArray

from transfer.config import AUGMENTATIONS
from transfer.features.views import View


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    """A picture that is bright on the left and coloured at the top."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, :30] = 200
    image[:15, :, 0] = 120
    return image


def test_of__the_first_view_is_the_image_itself(pixels: NDArray[np.uint8]) -> None:
    assert View("ab", 0, AUGMENTATIONS).of(pixels) is pixels
    assert View("ab", 0, AUGMENTATIONS).key == "ab"


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_of__each_change_alone_makes_other_views(
    pixels: NDArray[np.uint8], augmentation: str
) -> None:
    views = [View("ab", n, (augmentation,)).of(pixels) for n in range(1, 9)]
    assert all(v.shape == pixels.shape and v.dtype == np.uint8 for v in views)
    assert any(not np.array_equal(view, pixels) for view in views)


def test_of__the_same_view_in_every_process(pixels: NDArray[np.uint8]) -> None:
    first, again = (View("ab", 3, AUGMENTATIONS).of(pixels) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = View("cd", 3, AUGMENTATIONS).of(pixels)
    assert not np.array_equal(first, other)


def test_of__without_flip_left_stays_left(pixels: NDArray[np.uint8]) -> None:
    names = tuple(name for name in AUGMENTATIONS if name != "flip")
    for number in range(1, 20):
        view = View("ab", number, names).of(pixels).astype(int)
        assert view[15:, :20].mean() > view[15:, -20:].mean()


def test_of__without_colour_a_flip_only_moves_pixels(
    pixels: NDArray[np.uint8],
) -> None:
    for number in range(1, 9):
        view = View("ab", number, ("flip",)).of(pixels)
        assert np.array_equal(view, pixels) or np.array_equal(view, pixels[:, ::-1])


def test_key__tells_the_changes_apart() -> None:
    assert View("ab", 1, ("flip",)).key != View("ab", 1, ("flip", "crop")).key
