"""What a browser asks for while somebody scrolls through a gallery."""

import base64
import json
import time

import numpy as np

from pages.shared import addresses
from pages.shared.visits import Visit
from transfer.datasets import facts, thumbnails
from transfer.datasets.revision import Image, Revision
from transfer.gallery import measures
from transfer.gallery import view as views
from transfer.gallery.view import OF_PICTURES, Order, View

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
    items = [_item(shown, at, visit.who) for at in some]
    images = [shown.images[at] for at in some]
    if shown.revision.kind == "sounds":
        _add_sounds(items, images, shown.revision, visit.who)
    elif view.order in OF_PICTURES:
        for item, fact in zip(items, facts.of(view.dataset, images), strict=True):
            said = _in_words(fact, view.order)
            item["says"] = " · ".join(filter(None, (said, item["says"])))
    return json.dumps(items).encode()


def _item(shown: views.Shown, at: int, who: str) -> dict[str, str]:
    image = shown.images[at]
    name, said = shown.revision.class_names[image.label], ""
    if predicted := shown.answers.predicted[at]:
        mark = "✓" if predicted == name else "✗"
        said = f"{mark} {predicted} {shown.answers.confidence[at]:.0%}"
    if not np.isnan(apart := shown.answers.disagreement[at]):
        said = f"{apart:.0%} apart · {said}"
    if image.left_out:
        said = image.left_out
    return {
        "picture": _picture(image, shown.revision, who),
        "path": image.path,
        "class": name,
        "split": image.split,
        "says": said,
    }


def _in_words(fact: np.void, order: Order) -> str:
    """What a picture is sorted by."""
    if order == "pixels":
        return f"{fact['width']} × {fact['height']}"
    if order == "bytes":
        return f"{fact['bytes'] / 1000:,.1f} kB"
    when = time.gmtime(fact["taken"])  # as the camera's clock had it
    return time.strftime("%Y-%m-%d", when) if fact["taken"] else "no date"


def _add_sounds(
    items: list[dict[str, str]], images: list[Image], revision: Revision, who: str
) -> None:
    """Where each recording is played, and how long it is."""
    seconds = measures.of(revision.dataset, images)["seconds"]
    for item, image, length in zip(items, images, seconds, strict=True):
        item["sound"] = addresses.sound(image.sha256, revision, who)
        said = "cannot be read" if np.isnan(length) else f"{length:.2f} s"
        item["says"] = " · ".join(filter(None, (said, item["says"])))


def _picture(image: Image, revision: Revision, who: str) -> str:
    """The address of a small version of an image; of a very small one all of it."""
    if revision.kind == "sounds":
        return addresses.thumbnail(image.sha256, revision, who)
    if content := thumbnails.itself(image.sha256, _ALONG):
        return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
    return addresses.thumbnail(image.sha256, revision, who)
