"""Brings more pictures into a dataset: into one class, or into those that they name.

New pictures of a class that is there go to train, and val and test stay as they are, so
that runs before and after are compared on the same images. Those of a class without
images are split as the dataset was, and so are those of one that comes to be picture by
picture and lacks val or test; splits that folders or a file of labels give are kept.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from transfer.datasets import facts, library, names, scratch, splits
from transfer.datasets.ingest import (
    class_folders,
    grey,
    hearing,
    listing,
    sounds,
    staging,
)
from transfer.datasets.ingest.class_folders import Entry
from transfer.datasets.ingest.importer import without_repeats
from transfer.datasets.ingest.layouts import Reading
from transfer.datasets.ingest.sources import Source, open_source
from transfer.datasets.ingest.staging import Allow, Picture, Progress
from transfer.datasets.revision import Change, Image, Kind, PassedOver, Revision
from transfer.datasets.sounds.windows import Cutting
from transfer.datasets.wording import WORDS
from transfer.errors import DatasetError, StorageError

#: What else can be done with files that have no class.
_SORT: dict[Kind, str] = {
    "images": ", or sort them first: `sort` on the command line, a fold of its own on "
    "the page Data",
    "sounds": "",
}


@dataclass(frozen=True, kw_only=True)
class Addition:
    """What came of bringing pictures.

    Attributes:
        revision: The newest revision.
        added: How many images are new in it.
        passed_over: What was not taken in, and why.
        notes: What was understood and is worth a look, a sentence each.
    """

    revision: Revision
    added: int
    passed_over: tuple[PassedOver, ...]
    notes: tuple[str, ...]


def add_path(
    path: Path,
    dataset: str,
    class_name: str = "",
    *,
    reading: Reading = Reading(),  # noqa: B008
    by: str = "",
    window: float | None = None,
    once: bool = False,
    progress: Progress | None = None,
    allow: Allow | None = None,
) -> Addition:
    """The next revision of a dataset, with the pictures of a folder, zip or file.

    Args:
        path: A folder, a zip, or one picture.
        dataset: Name of the dataset.
        class_name: The class of all of them, one that is there or a new one; if empty,
            folders or a file of labels say it.
        reading: How the folder or zip is to be read where that is not found out.
        by: Who asks for it.
        window: Seconds of the windows that recordings are cut into, these and those
            that are added later; 0 cuts none, None cuts them as those before.
        once: Cut those that are added later as those before all the same.
        progress: As in `importer.import_path`.
        allow: See `staging.Allow`.

    Raises:
        NotFoundError: There is no such dataset.
        ConfigError: A class cannot be called so.
        DatasetError: There is nothing to add, or nothing says the classes.
        StorageError: The disk is full or the workspace cannot be written.
    """
    before = library.load(dataset)
    if class_name and class_name not in before.class_names:
        names.check_class_name(class_name)
    kind = before.kind
    with open_source(path, reading.code_page, kind) as source:
        entries, passed_over, notes = _entries(source, class_name, reading)
        known = {names.bare(one): one for one in reversed(before.class_names)}
        entries = [_under_known_name(one, before, known) for one in entries]
        with scratch.folder() as folder:
            cutting = sounds.cutting_of(before, window)
            staged, unreadable = _stage(
                source, entries, folder, progress, allow, cutting
            )
            pictures, repeated = without_repeats(staged, kind)
            kept = None if window is None or once else cutting
            if kept is None and before.cutting is None:
                # A manifest of before says it now, as long as its paths show it.
                kept = sounds.cutting_of(before, None)
            found = take_in(dataset, pictures, by, kept)
            staging.keep_thumbnails(pictures)
    left = [*passed_over, *unreadable, *repeated, *found.passed_over]
    return replace(
        found,
        passed_over=tuple(sorted(left, key=lambda one: one.path)),
        notes=(*notes, *_folders_not_asked(entries, class_name, before)),
    )


def _folders_not_asked(
    entries: Sequence[Entry], class_name: str, before: Revision
) -> Iterator[str]:
    """What is said where all came into one class, and folders are named like others."""
    folders = {part for one in entries for part in one.path.split("/")[:-1]}
    other = [one for one in before.class_names if one in folders - {class_name}]
    if class_name and other:
        yield (
            f"Folders in it are named {' and '.join(other[:3])}, as classes here are; "
            f'all came into "{class_name}", as was said.'
        )


def _stage(
    source: Source,
    entries: list[Entry],
    folder: Path,
    progress: Progress | None,
    allow: Allow | None,
    cutting: Cutting | None,
) -> tuple[Sequence[Picture], list[PassedOver]]:
    """The files that can be used."""
    if cutting is None:
        return staging.stage(source, entries, folder, progress, allow)
    return hearing.stage(source, entries, folder, cutting, progress, allow)


def take_in(
    dataset: str,
    pictures: Sequence[Picture],
    by: str = "",
    cutting: Cutting | None = None,
) -> Addition:
    """The next revision of a dataset, with these pictures.

    Args:
        dataset: Name of the dataset.
        pictures: No two of them alike, each with its class; their files are moved.
        by: Who asks for it.
        cutting: How recordings are cut from now on; None for as they were.

    Raises:
        NotFoundError: There is no such dataset.
        StorageError: The disk is full or the workspace cannot be written.
    """
    adding = _Adding(pictures, by, cutting)
    staged = {one.sha256: one.path for one in pictures}
    revision = library.amend(dataset, adding.change, staged)
    with suppress(StorageError):  # they can be read again at any time
        facts.keep(dataset, {one.sha256: one.fact for one in pictures})
    known = tuple(adding.known)
    return Addition(revision=revision, added=adding.added, passed_over=known, notes=())


def _entries(
    source: Source, class_name: str, reading: Reading
) -> tuple[list[Entry], list[PassedOver], Sequence[str]]:
    """The pictures with their classes, and what is passed over."""
    if not class_name:
        try:
            found = listing.read_index(source, reading, is_whole=False)
        except DatasetError as error:
            sort = _SORT[source.kind]
            hint = f"{error.hint} Or say the class that all of them have{sort}."
            raise DatasetError(error.message, hint.strip()) from error
        return list(found.entries), list(found.passed_over), found.notes
    pictures = sorted(source.pictures)
    passed_over = [*source.passed_over, *class_folders.no_pictures(source)]
    if not pictures:
        found_instead = class_folders.what_is_there(passed_over)
        raise DatasetError(
            f"There is no {WORDS[source.kind].picture} in it.{found_instead}"
        )
    entries = [Entry(path=one, class_name=class_name, split=None) for one in pictures]
    return entries, passed_over, source.notes


def _under_known_name(entry: Entry, before: Revision, known: dict[str, str]) -> Entry:
    """The entry under the name of the class that differs in case and spaces only."""
    name = entry.class_name
    if name in before.class_names or names.bare(name) not in known:
        return entry
    name = known[names.bare(name)]
    return Entry(path=entry.path, class_name=name, split=entry.split)


class _Adding:
    """Makes the change, once it is known what the dataset holds.

    Args:
        pictures: The pictures that came.
        by: Who asks for it.
        cutting: How recordings are cut from now on; None for as they were.

    Attributes:
        added: How many of them are new.
        known: The others.
    """

    def __init__(
        self, pictures: Sequence[Picture], by: str, cutting: Cutting | None
    ) -> None:
        self._pictures, self._by, self._cutting = pictures, by, cutting
        self.added, self.known = 0, list[PassedOver]()

    def change(self, newest: Revision) -> Change | None:
        """What brings the new pictures into the newest revision."""
        there = {one.sha256: one for one in (*newest.images, *newest.left_out)}
        new = [one for one in self._pictures if one.sha256 not in there]
        self.added = len(new)
        self.known = [
            why_known(one, there[one.sha256], newest)
            for one in self._pictures
            if one.sha256 in there
        ]
        if not new:
            return None
        classes = tuple(
            sorted({*newest.class_names, *(one.entry.class_name for one in new)})
        )
        scale = newest.grey or grey.range_of([one.levels for one in new if one.levels])
        images = _images(new, newest, classes)
        is_same = classes == newest.class_names
        return Change(
            says=_says(new),
            made_at=time.time(),
            by=self._by,
            classes=() if is_same else classes,
            labels=() if is_same else tuple(map(classes.index, newest.class_names)),
            images=images,
            grey=scale,
            flat=tuple(
                image.path
                for image, one in zip(images, new, strict=True)
                if staging.comes_out_flat(one, scale)
            ),
            cutting=None if self._cutting == newest.cutting else self._cutting,
        )


def _images(
    new: Sequence[Picture], newest: Revision, classes: Sequence[str]
) -> tuple[Image, ...]:
    taken = {one.path for one in (*newest.images, *newest.left_out)}
    labels = [classes.index(one.entry.class_name) for one in new]
    split = [one.entry.split or "train" for one in new]
    if not any(one.entry.split for one in new):
        into = [one.entry.class_name for one in new]
        groups = [one.group or one.entry.path for one in new]
        split = splits.stratify_more(newest, into, groups)
    images = []
    for one, label, chosen in zip(new, labels, split, strict=True):
        path = names.showable(one.entry.path)
        if path in taken:
            stem, dot, ending = path.rpartition(".")
            path = f"{stem or ending}-{one.sha256[:8]}{dot}{ending if dot else ''}"
        taken.add(path)
        image = Image(
            sha256=one.sha256, path=path, label=label, split=chosen, day=one.day
        )
        images.append(image)
    return tuple(images)


def _says(new: Sequence[Picture]) -> str:
    found = sorted({one.entry.class_name for one in new})
    into = " and ".join(found) if len(found) < 3 else f"{len(found)} classes"
    one = names.showable(new[0].entry.path)
    return f"Added {one if len(new) == 1 else f'{len(new):,}'} to {into}."


def why_known(picture: Picture, image: Image, newest: Revision) -> PassedOver:
    """What is said of a picture that a dataset has as this image."""
    path, name = names.showable(picture.entry.path), newest.class_names[image.label]
    reason = f'It is there already as {image.path}, of the class "{name}"'
    if image.left_out:
        reason += f", and left out: {image.left_out}"
    elif picture.entry.class_name not in ("", name):
        reason += f', not "{picture.entry.class_name}"; move it there if that is wrong'
    return PassedOver(path=path, reason=f"{reason.removesuffix('.')}.")
