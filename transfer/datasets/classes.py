"""Classes of a dataset: begun with, renamed, merged, added, split off from others.

Each change is a revision of its own, written in a few bytes however many images it
touches: labels change by a table. Names stay sorted, for their order is that of labels.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from transfer.datasets import editing, library, names
from transfer.datasets.revision import Change, Revision, with_id
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.datasets.sounds.windows import Cutting
from transfer.errors import ConfigError, DatasetError, NameTakenError


def begin(
    dataset: str,
    wanted: Iterable[str],
    by: str = "",
    sound: Spectrogram | None = None,
) -> Revision:
    """A new dataset of these classes and no image: the camera or a pile brings them.

    Of the first images of each class a fifth goes to val.

    Args:
        dataset: What it is called.
        wanted: Two classes or more.
        by: Who asks for it.
        sound: How its recordings are drawn; None for a dataset of images.

    Raises:
        ConfigError: The name or a class cannot be called so.
        NameTakenError: There is a dataset of that name.
        DatasetError: There are too few classes.
        StorageError: The workspace cannot be written.
    """
    library.check_name(dataset)
    found = sorted({*wanted})
    for name in found:
        names.check_class_name(name)
    if len(found) < 2:
        raise DatasetError(
            "Two classes at the least are told apart.", "Name another one."
        )
    made = Revision(
        dataset=dataset,
        id="",
        class_names=tuple(found),
        images=(),
        passed_over=(),
        split_source="stratified",
        val=0.2,
        test=0.0,
        seed=0,
        created_at=time.time(),
        by=by,
        sound=sound,
        cutting=Cutting() if sound else None,
    )
    library.store(with_id(made), {})
    return library.load(dataset)


def rename(dataset: str, old: str, new: str, by: str = "") -> Revision:
    """The revision in which a class has another name.

    Args:
        dataset: Name of the dataset.
        old: One of its classes.
        new: What it is called from now on.
        by: Who asks for it.

    Returns:
        The newest revision; the one that was, if it says the same already.

    Raises:
        NotFoundError: There is no such dataset or class.
        NameTakenError: Another class has that name.
        ConfigError: A class cannot be called so.
        StorageError: The workspace cannot be written.
    """

    def change(newest: Revision) -> Change | None:
        editing.label_of(newest, old)
        if old == new:
            return None
        _check_free(newest, new, f"Merge {old} and {new} if they are one.")
        return _relabel(newest, {old: new}, f"Renamed {old} to {new}.", by)

    return library.amend(dataset, change)


def merge(dataset: str, merged: Iterable[str], into: str, by: str = "") -> Revision:
    """The revision in which several classes are one; otherwise as `rename`.

    Args:
        dataset: Name of the dataset.
        merged: Its classes that become one.
        into: What that is called: one of them, another class, or a new name.
        by: Who asks for it.

    Raises:
        DatasetError: Only one class would be left.
    """
    wanted = tuple(dict.fromkeys(merged))

    def change(newest: Revision) -> Change | None:
        for name in wanted:
            editing.label_of(newest, name)
        if into not in newest.class_names:
            names.check_class_name(into)
            if len(wanted) < 2:
                raise ConfigError(
                    "Two classes at least are merged.", "Rename one that is alone."
                )
        gone = [name for name in wanted if name != into]
        if len({*newest.class_names, into}) - len(gone) < 2:
            raise DatasetError(
                "Only one class would be left, and there would be nothing to learn.",
                "Add a class first, or merge fewer.",
            )
        said = " and ".join(wanted) if len(wanted) < 4 else f"{len(wanted)} classes"
        says = f"Merged {said} into {into}."
        return _relabel(newest, dict.fromkeys(gone, into), says, by) if gone else None

    return library.amend(dataset, change)


def add(dataset: str, name: str, by: str = "") -> Revision:
    """The revision with one more class, which is empty; otherwise as `rename`."""

    def change(newest: Revision) -> Change:
        _check_free(newest, name)
        return _relabel(newest, {}, f"Added the class {name}.", by, name)

    return library.amend(dataset, change)


def split_off(dataset: str, images: Iterable[str], name: str, by: str = "") -> Revision:
    """The revision in which these images are a class of their own.

    Args:
        dataset: Name of the dataset.
        images: What names them, as in `editing`.
        name: What the class is called.
        by: Who asks for it.

    Raises:
        As `rename` and `editing.move`.
    """
    wanted = tuple(images)

    def change(newest: Revision) -> Change:
        _check_free(newest, name, "Move what it holds into that class.")
        moved = editing.active(newest, wanted)
        says = f"Split {name} off: {editing.in_words(moved)} from "
        says += f"{editing.sources(newest, moved)}."
        added = _relabel(newest, {}, says, by, name)
        label = added.classes.index(name)
        images = tuple(replace(one, label=label) for one in moved)
        return replace(added, images=images)

    return library.amend(dataset, change)


def _check_free(revision: Revision, name: str, hint: str = "") -> None:
    names.check_class_name(name)
    if name in revision.class_names:
        raise NameTakenError(f'There is a class "{name}" already.', hint)


def _relabel(
    revision: Revision,
    renamed: Mapping[str, str],
    says: str,
    by: str,
    added: str = "",
) -> Change:
    """The change to new names of classes, each image going with the name of its own."""
    now = [renamed.get(name, name) for name in revision.class_names]
    classes = tuple(sorted({*now, added} - {""}))
    labels = {name: label for label, name in enumerate(classes)}
    return Change(
        says=says,
        made_at=time.time(),
        by=by,
        classes=classes,
        labels=tuple(labels[name] for name in now),
    )
