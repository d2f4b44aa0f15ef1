"""Images of a dataset are moved, left out and restored; a picture comes in.

Each change is a revision of its own; runs keep the one that they name. Images are named
by their SHA-256, a unique beginning of it, or their path as it is shown.
"""

import hashlib
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from transfer import workspace
from transfer.datasets import away, library, names, scratch
from transfer.datasets.revision import SPLITS, Change, Image, Revision, Split
from transfer.errors import ConfigError, DatasetError, NotFoundError

#: Digits of a hash that name an image at the least.
_DIGITS = 4


def move(
    dataset: str, images: Iterable[str], class_name: str, by: str = ""
) -> Revision:
    """The revision in which these images have this class.

    Args:
        dataset: Name of the dataset.
        images: What names them.
        class_name: One of the dataset's classes.
        by: Who asks for it.

    Returns:
        The newest revision; the one that was, if it says the same already.

    Raises:
        NotFoundError: There is no such dataset, image or class.
        ConfigError: A beginning of a hash fits several images.
        DatasetError: An image is left out.
        StorageError: The workspace cannot be written.
    """
    wanted = tuple(images)

    def change(newest: Revision) -> Change | None:
        label = label_of(newest, class_name)
        moved = [one for one in active(newest, wanted) if one.label != label]
        return _relabel(newest, moved, label, by)

    return library.amend(dataset, change)


def move_to_split(
    dataset: str, images: Iterable[str], split: Split, by: str = ""
) -> Revision:
    """The revision in which these images are in this split; otherwise as `move`."""
    wanted = tuple(images)
    if split not in SPLITS:
        raise ConfigError(
            f'"{split}" is no split.', f"The splits: {', '.join(SPLITS)}."
        )

    def change(newest: Revision) -> Change | None:
        moved = [one for one in active(newest, wanted) if one.split != split]
        source = " and ".join(one for one in SPLITS if one in {x.split for x in moved})
        says = f"Moved {in_words(moved)} from {source} to {split}."
        return _change([replace(one, split=split) for one in moved], says, by)

    return library.amend(dataset, change)


def leave_out(
    dataset: str, images: Iterable[str], reason: str, by: str = ""
) -> Revision:
    """The revision without these images, which are kept; otherwise as `move`.

    Args:
        dataset: Name of the dataset.
        images: What names them.
        reason: Why; shown beside them.
        by: Who asks for it.

    Raises:
        ConfigError: There is no reason.
    """
    wanted, why = tuple(images), names.showable(reason).strip()
    if not why:
        raise ConfigError(
            "Images are left out for a reason.", 'Say it, such as "blurred".'
        )

    def change(newest: Revision) -> Change | None:
        out = [one for one in find(newest, wanted) if one.left_out != why]
        says = f"Left out {in_words(out)}: {why.removesuffix('.')}."
        return _change([replace(one, left_out=why) for one in out], says, by)

    return library.amend(dataset, change)


def restore(dataset: str, images: Iterable[str], by: str = "") -> Revision:
    """The revision in which these images are not left out; otherwise as `move`."""
    wanted = tuple(images)

    def change(newest: Revision) -> Change | None:
        back = [one for one in find(newest, wanted) if one.left_out]
        says = f"Restored {in_words(back)}."
        return _change([replace(one, left_out="") for one in back], says, by)

    return library.amend(dataset, change)


def add(
    dataset: str, picture: bytes, class_name: str, name: str, by: str = ""
) -> Revision:
    """The revision in which a picture has this class, as an image of train if new.

    One that is there already, byte for byte, keeps its split and gets the class.

    Args:
        dataset: Name of the dataset.
        picture: The encoded picture.
        class_name: One of the dataset's classes.
        name: What the picture was called.
        by: Who asks for it.

    Returns:
        The newest revision; the one that was, if it says the same already.

    Raises:
        NotFoundError: There is no such dataset, or no such class in it.
        ImageError: The picture cannot be read.
        StorageError: The disk is full or the workspace cannot be written.
    """
    away.check(picture, library.load(dataset).rendering)
    sha256 = hashlib.sha256(picture).hexdigest()

    def change(newest: Revision) -> Change | None:
        # Called while nobody else writes: the newest may be newer than what is shown.
        label = label_of(newest, class_name)
        for old in (*newest.images, *newest.left_out):
            if old.sha256 == sha256:
                return _take_again(newest, old, label, by)
        file = _unique(name, sha256)
        path = f"corrections/{class_name}/{file}"
        image = Image(sha256=sha256, path=path, label=label, split="train")
        return _change([image], f"Added {file} to {class_name}.", by)

    with scratch.folder() as folder:
        staged = folder / "correction"
        with workspace.writing(staged):
            staged.write_bytes(picture)
        return library.amend(dataset, change, {sha256: staged})


def find(revision: Revision, wanted: Sequence[str]) -> list[Image]:
    """The images that are named so, those that are left out among them, each once.

    Raises:
        NotFoundError: There is no such image.
        ConfigError: A beginning of a hash fits several images; or nothing is named.
    """
    return among((*revision.images, *revision.left_out), wanted)


def among(every: Sequence[Image], wanted: Sequence[str]) -> list[Image]:
    """Those of some images that are named so; otherwise as `find`."""
    if not wanted:
        raise ConfigError("No file is named.", "Name one or more.")
    names_wanted = set(wanted)
    exact = {
        name: image
        for image in every
        for name in (image.path, image.sha256)
        if name in names_wanted
    }
    found = [exact.get(one) or _by_beginning(every, one) for one in wanted]
    return list(dict.fromkeys(found))


def active(revision: Revision, wanted: Sequence[str]) -> list[Image]:
    """The images that are named so; otherwise as `find`.

    Raises:
        DatasetError: One is left out.
    """
    found = find(revision, wanted)
    if out := [one for one in found if one.left_out]:
        raise DatasetError(
            f"{in_words(out)} {'is' if len(out) == 1 else 'are'} left out: "
            f"{out[0].left_out}",
            "Restore what is to be moved first.",
        )
    return found


def label_of(revision: Revision, class_name: str) -> int:
    """The label of a class.

    Raises:
        NotFoundError: There is no such class.
    """
    if class_name not in revision.class_names:
        raise NotFoundError(
            f'The dataset "{revision.title}" has no class "{class_name}".',
            f"Its classes: {', '.join(revision.class_names)}.",
        )
    return revision.class_names.index(class_name)


def _relabel(
    revision: Revision, images: Sequence[Image], label: int, by: str
) -> Change | None:
    """What gives these images of other classes the label; None for no images."""
    says = f"Moved {in_words(images)} from {sources(revision, images)} to "
    says += f"{revision.class_names[label]}."
    return _change([replace(one, label=label) for one in images], says, by)


def sources(revision: Revision, images: Sequence[Image]) -> str:
    """The classes of these images in words, that of most first."""
    counted = Counter(revision.class_names[one.label] for one in images)
    found = [name for name, _ in counted.most_common()]
    return " and ".join(found) if len(found) < 3 else f"{len(found)} classes"


def in_words(images: Sequence[Image]) -> str:
    """How many images these are; of one its path."""
    return images[0].path if len(images) == 1 else f"{len(images):,}"


def _take_again(newest: Revision, old: Image, label: int, by: str) -> Change | None:
    """What gives a picture that is there already this label, and takes it back in."""
    if old.left_out:
        back = replace(old, label=label, left_out="")
        return _change([back], f"Restored {old.path}.", by)
    return _relabel(newest, [old] if old.label != label else [], label, by)


def _change(images: Sequence[Image], says: str, by: str) -> Change | None:
    if not images:
        return None
    return Change(images=tuple(images), says=says, made_at=time.time(), by=by)


def _by_beginning(images: Iterable[Image], word: str) -> Image:
    digits = word.lower()
    is_hash = re.fullmatch(f"[0-9a-f]{{{_DIGITS},64}}", digits)
    found = [one for one in images if is_hash and one.sha256.startswith(digits)]
    if not found:
        raise NotFoundError(
            f'There is no file "{names.showable(word)}" in it.',
            "Name it by its path as it is shown, or by the first "
            f"{_DIGITS} or more digits of its SHA-256.",
        )
    if len(found) > 1:
        paths = ", ".join(one.path for one in found[:3])
        raise ConfigError(
            f'"{word}" is the beginning of {len(found)} files: {paths}.',
            "Give more digits of the SHA-256, or the path.",
        )
    return found[0]


def _unique(name: str, sha256: str) -> str:
    """The picture's file name with part of its hash; cameras repeat their names."""
    # The end of a long name, where the extension is: exports name their copy by it.
    shown = PurePosixPath(names.showable(name.replace("\\", "/"))).name or "picture"
    return f"{sha256[:8]}-{shown[-100:]}"
