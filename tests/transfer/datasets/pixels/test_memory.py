"""What decoding takes is known beforehand, and all of it at once is bounded."""

import io
import threading

from PIL import Image

from tests.transfer.datasets.test_decoding import encoded, quadrants
from transfer.datasets.pixels import memory


def test_needed_bytes__of_a_jpeg_are_what_its_small_scale_takes() -> None:
    with Image.open(io.BytesIO(encoded(quadrants(1600, 800), "JPEG"))) as image:
        image.draft(None, (32, 32))
        assert memory.needed_bytes(image, 1600 * 800) == 4 * 200 * 100
    scans = encoded(quadrants(1600, 800), "JPEG", progressive=True, subsampling=2)
    with Image.open(io.BytesIO(scans)) as image:
        image.draft(None, (32, 32))
        held = 3 * 1600 * 800  # all coefficients, two bytes each
        assert memory.needed_bytes(image, 1600 * 800) == 4 * 200 * 100 + held


def test_room__who_wants_more_than_is_left_waits() -> None:
    room, order = memory.Room(10), []

    def second() -> None:
        with room.take(6):
            order.append("second")

    thread = threading.Thread(target=second)
    with room.take(6):
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join(60)
    assert order == ["first", "second"]
