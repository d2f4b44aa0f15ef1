"""A picture that a model got wrong becomes a training image, with the right class."""

import hashlib
import time
from dataclasses import replace
from pathlib import PurePosixPath

from transfer import workspace
from transfer.datasets import decoding, library, names, scratch
from transfer.datasets.revision import Change, Image, Revision
from transfer.errors import NotFoundError


def add(dataset: str, picture: bytes, class_name: str, name: str) -> Revision:
    """The dataset's next revision, in which the picture has this class.

    A new picture goes to train. One that is there already, byte for byte, keeps its
    split and gets the class. Runs keep the revision that they name.

    Args:
        dataset: Name of the dataset.
        picture: The encoded picture.
        class_name: One of the dataset's classes.
        name: What the picture was called.

    Returns:
        The newest revision; the one that was, if it says the same already.

    Raises:
        NotFoundError: There is no such dataset, or no such class in it.
        ImageError: The picture cannot be read.
        StorageError: The disk is full or the workspace cannot be written.
    """
    # Small: this only finds out whether it decodes at all.
    decoding.decode(picture, (32, 32))
    sha256 = hashlib.sha256(picture).hexdigest()

    def change(newest: Revision) -> Change | None:
        # Called while nobody else writes: the newest may be newer than what is shown.
        return _change(newest, sha256, _label(newest, class_name), name)

    with scratch.folder() as folder:
        staged = folder / "correction"
        with workspace.writing(staged):
            staged.write_bytes(picture)
        return library.amend(dataset, change, {sha256: staged})


def _label(revision: Revision, class_name: str) -> int:
    if class_name not in revision.class_names:
        raise NotFoundError(
            f'The dataset "{revision.dataset}" has no class "{class_name}".',
            f"Its classes: {', '.join(revision.class_names)}.",
        )
    return revision.class_names.index(class_name)


def _change(newest: Revision, sha256: str, label: int, name: str) -> Change | None:
    """What puts the picture under this label; None where it is so already."""
    class_name = newest.class_names[label]
    file = _unique(name, sha256)
    old = next((image for image in newest.images if image.sha256 == sha256), None)
    if old is None:
        path = f"corrections/{class_name}/{file}"
        image = Image(sha256=sha256, path=path, label=label, split="train")
        says = f'Added {file} to "{class_name}".'
    elif old.label != label:
        image = replace(old, label=label)
        was = newest.class_names[old.label]
        says = f'Moved {old.path} from "{was}" to "{class_name}".'
    else:
        return None
    return Change(images=(image,), says=says, made_at=time.time())


def _unique(name: str, sha256: str) -> str:
    """The picture's file name with part of its hash; cameras repeat their names."""
    # The end of a long name, where the extension is: exports name their copy by it.
    shown = PurePosixPath(names.showable(name.replace("\\", "/"))).name or "picture"
    return f"{sha256[:8]}-{shown[-100:]}"
