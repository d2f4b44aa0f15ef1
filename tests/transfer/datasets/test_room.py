"""What decoding takes of memory, and who waits for it."""

import io
import threading

from PIL import Image

from tests.patience import PATIENCE
from tests.transfer.datasets.test_images import encoded, quadrants
from transfer.datasets import room


def test_needed_bytes__a_jpeg_of_200_megapixels_takes_what_its_small_scale_takes() -> (
    None
):
    with Image.open(io.BytesIO(encoded(quadrants(1600, 800), "JPEG"))) as image:
        image.draft(None, (32, 32))
        assert room.needed_bytes(image, 1600 * 800) == 4 * 200 * 100
    scans = encoded(quadrants(1600, 800), "JPEG", progressive=True, subsampling=2)
    with Image.open(io.BytesIO(scans)) as image:
        image.draft(None, (32, 32))
        held = 3 * 1600 * 800  # all coefficients, two bytes each
        assert room.needed_bytes(image, 1600 * 800) == 4 * 200 * 100 + held


def test_room__who_wants_more_than_is_left_waits() -> None:
    space, order = room.Room(10), []

    def second() -> None:
        with space.taken(6):
            order.append("second")

    thread = threading.Thread(target=second)
    with space.taken(6):
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join(PATIENCE)
    assert order == ["first", "second"]
