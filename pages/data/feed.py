"""What a browser asks for while somebody scrolls through a gallery."""

import base64
import json

from pages.shared import addresses
from pages.shared.visits import Visit
from transfer.datasets import thumbnails
from transfer.datasets.revision import Image, Revision
from transfer.gallery import view as views
from transfer.gallery.view import View

#: Images in one answer at the most.
MOST = 400
#: Pictures of so few bytes come in the answer itself: a hundred requests of their own
#: took three times as long.
_ALONG = 4096


def page(visit: Visit, first: int, count: int) -> bytes:
    """The images of a view from one place on, as JSON.

    Args:
        visit: Of an address of `addresses.gallery`.
        first: Position of the first.
        count: How many.

    Raises:
        NotFoundError: There is no such view any more, or it may not be seen.
        StorageError: The dataset cannot be read.
    """
    view = View.from_token(visit.value)
    visit.check_dataset(view.dataset)
    for run in filter(None, (view.run, view.other)):
        visit.check_run(run)
    shown = views.show(view)
    some = range(max(first, 0), min(first + min(count, MOST), len(shown.images)))
    return json.dumps([_item(shown, at, visit.who) for at in some]).encode()


def _item(shown: views.Shown, at: int, who: str) -> dict[str, str]:
    image = shown.images[at]
    name, said = shown.revision.class_names[image.label], ""
    if predicted := shown.answers.predicted[at]:
        mark = "✓" if predicted == name else "✗"
        said = f"{mark} {predicted} {shown.answers.confidence[at]:.0%}"
    return {
        "picture": _picture(image, shown.revision, who),
        "path": image.path,
        "class": name,
        "split": image.split,
        "says": image.left_out or said,
    }


def _picture(image: Image, revision: Revision, who: str) -> str:
    """The address of a small version of an image; of a very small one all of it."""
    if content := thumbnails.itself(image.sha256, _ALONG):
        return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
    return addresses.thumbnail(image.sha256, revision, who)
