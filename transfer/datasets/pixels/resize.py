"""How a picture of another shape than the model's pixels is brought to it."""

from typing import Literal

from PIL import Image

#: `stretch` to fill it, `crop` the middle, or `fit` in with a border.
Resizing = Literal["stretch", "crop", "fit"]

#: The border's colour: the mean of ImageNet's pictures, which backbones take for
#: nothing.
BORDER = (124, 116, 104)

Size = tuple[int, int]


def part_taken(
    own: Size, wanted: Size, resizing: Resizing
) -> tuple[float, float, float, float]:
    """Left, upper, right and lower edge of what is taken of a picture.

    Args:
        own: Its width and height.
        wanted: Those of the model's pixels.
        resizing: How it is brought to them.
    """
    width, height = float(own[0]), float(own[1])
    if resizing == "crop":
        width = min(own[0], own[1] * wanted[0] / wanted[1])
        height = min(own[1], own[0] * wanted[1] / wanted[0])
    left, upper = (own[0] - width) / 2, (own[1] - height) / 2
    return left, upper, left + width, upper + height


def size_inside(own: Size, wanted: Size, resizing: Resizing) -> Size:
    """Width and height of the picture inside the model's pixels; a border is the rest.

    Args:
        own: Width and height of the picture.
        wanted: Those of the model's pixels.
        resizing: How it is brought to them.
    """
    if resizing != "fit":
        return wanted
    scale = min(wanted[0] / own[0], wanted[1] / own[1])
    return max(1, round(own[0] * scale)), max(1, round(own[1] * scale))


def corner(inside: Size, wanted: Size) -> Size:
    """Left and upper edge of the picture inside the model's pixels."""
    return (wanted[0] - inside[0]) // 2, (wanted[1] - inside[1]) // 2


def add_border(picture: Image.Image, wanted: Size) -> Image.Image:
    """The picture in the middle of the model's pixels."""
    whole = Image.new("RGB", wanted, BORDER)
    whole.paste(picture, corner(picture.size, wanted))
    return whole
