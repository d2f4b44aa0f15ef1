"""Files of datasets that a browser asks for by signed addresses."""

from pages.shared import addresses
from pages.shared.visits import Visit
from transfer.datasets import library, playing, thumbnails


def thumbnail(visit: Visit) -> bytes:
    """A small JPEG of the image of an address.

    Raises:
        NotFoundError: There is no such image, or it may not be seen.
        ImageError: It is damaged.
    """
    picture = addresses.read_thumbnail(visit.value)
    visit.check(picture.thing)
    return thumbnails.of_image(picture.sha256, picture.rendering)


def sound(visit: Visit) -> bytes:
    """The recording of an address, as browsers play it.

    Raises:
        NotFoundError: It may not be heard.
        SoundError: There is no such recording, or it is damaged.
    """
    asked = addresses.read_thumbnail(visit.value)
    visit.check(asked.thing)
    return playing.to_wav(library.image_path(asked.sha256))
