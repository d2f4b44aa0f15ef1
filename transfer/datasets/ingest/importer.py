"""Brings a folder or zip into the workspace: checked, copied, split, all or nothing."""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from transfer.datasets import facts, library, names, scratch, splits
from transfer.datasets.decoding import Grey
from transfer.datasets.ingest import grey, listing, samples, staging
from transfer.datasets.ingest.class_folders import Entry, Index
from transfer.datasets.ingest.layouts import Reading
from transfer.datasets.ingest.sources import open_source
from transfer.datasets.ingest.staging import Allow, Picture, Progress
from transfer.datasets.revision import (
    SPLITS,
    Image,
    Kind,
    PassedOver,
    Revision,
    Split,
    with_id,
)
from transfer.datasets.wording import WORDS, Words
from transfer.errors import DatasetError, StorageError

OnePicture = TypeVar("OnePicture", bound=Picture)


def import_sample(
    sample: str,
    name: str,
    *,
    val: float = 0.2,
    test: float = 0.0,
    seed: int = 0,
    progress: Progress | None = None,
    allow: Allow | None = None,
) -> Revision:
    """A new dataset made of a sample that comes with the program; see `import_path`.

    Raises:
        NotFoundError: There is no such sample.
    """
    folder = samples.folder_of(samples.get(sample))
    how: dict[str, Any] = {"val": val, "test": test, "seed": seed}
    return import_path(folder, name, **how, progress=progress, allow=allow)


def import_path(
    path: Path,
    name: str,
    *,
    val: float = 0.2,
    test: float = 0.0,
    seed: int = 0,
    reading: Reading = Reading(),  # noqa: B008
    progress: Progress | None = None,
    allow: Allow | None = None,
) -> Revision:
    """A new dataset made of the pictures in a folder or zip.

    Train, val and test folders are used as they are, by whatever of the usual names.
    Where there is a train folder but no val, val is taken out of train by the
    stratified split. Every picture is decoded once; what cannot be read, and what is
    there twice, is named in `passed_over` and the rest goes on. The dataset is there
    whole or, after any error or interruption, not at all.

    Args:
        path: The folder or .zip.
        name: Name of the new dataset.
        val: Share of each class that goes to val, in [0, 0.9].
        test: Share of each class that goes to test, in [0, 0.9].
        seed: Seed of the split.
        reading: How the folder or zip is to be read where that is not found out.
        progress: Called with the number of pictures done and of all, in the calling
            thread and after every picture, so that it may also interrupt.
        allow: See `staging.Allow`.

    Raises:
        ConfigError: The name or a share cannot be used.
        NameTakenError: There is a dataset of that name.
        DatasetError: The folder or zip cannot become a dataset.
        StorageError: The disk is full or the workspace cannot be written.
    """
    # Before gigabytes are copied; the name is looked at once more at the end.
    library.check_name(name)
    splits.check_shares(val, test, seed)
    with open_source(path, reading.code_page) as source, scratch.folder() as folder:
        found = listing.read_index(source, reading)
        pictures, unreadable = staging.stage(
            source, found.entries, folder, progress, allow
        )
        pictures, repeated = without_repeats(pictures)
        passed_over = (*found.passed_over, *unreadable, *repeated)
        check_classes(found, pictures, passed_over)
        # Only now, since all pictures are scaled alike: each by its own values, they
        # would lose what tells warm from cold.
        scale = grey.range_of([one.levels for one in pictures if one.levels])
        revision = with_id(
            Revision(
                dataset=name,
                id="",
                class_names=found.class_names,
                images=split(found, pictures, val, test, seed),
                passed_over=tuple(sorted(passed_over, key=lambda one: one.path)),
                split_source="given" if has_given_val(pictures) else "stratified",
                val=val,
                test=test,
                seed=seed,
                notes=found.notes,
                created_at=time.time(),
                grey=scale,
                flat=flat(pictures, scale),
            )
        )
        # The one step that others see; until here all lay in a folder of our own.
        library.store(revision, {one.sha256: one.path for one in pictures})
        with suppress(StorageError):  # they can be read again at any time
            facts.keep(name, {one.sha256: one.fact for one in pictures})
        staging.keep_thumbnails(pictures)
    return revision


def without_repeats(
    pictures: Sequence[OnePicture], kind: Kind = "images"
) -> tuple[list[OnePicture], list[PassedOver]]:
    """The pictures, or recordings, without those whose very bytes came before.

    A picture in train and val would make val look better than it is, and one under two
    labels cannot be learnt.
    """
    kept: dict[str, OnePicture] = {}
    repeated: list[PassedOver] = []
    # So that of two alike the one in train stays, in whatever order they came.
    for picture in sorted(pictures, key=_rank):
        first = kept.setdefault(picture.sha256, picture)
        if first is not picture:
            path = names.showable(picture.entry.path)
            reason = _why_repeated(picture.entry, first.entry, WORDS[kind])
            repeated.append(PassedOver(path=path, reason=reason))
    return sorted(kept.values(), key=lambda one: one.entry.path), repeated


def _rank(picture: Picture) -> tuple[int, str]:
    return SPLITS.index(picture.entry.split or "train"), picture.entry.path


def _why_repeated(entry: Entry, first: Entry, words: Words) -> str:
    same = f"{words.same_as}{names.showable(first.path)}"
    if entry.class_name != first.class_name:
        return (
            f"{same}, but with a conflicting label: "
            f'"{entry.class_name}" here, "{first.class_name}" there.'
        )
    if entry.split != first.split:
        return f"{same}: it would leak from {first.split} into {entry.split}."
    return f"{same}."


def check_classes(
    found: Index,
    pictures: Sequence[Picture],
    passed_over: tuple[PassedOver, ...],
    words: Words = WORDS["images"],
) -> None:
    """Checks that every class still has a picture to learn from.

    Raises:
        DatasetError: One has none.
    """
    learnt = {one.entry.class_name for one in pictures if one.entry.learns}
    reasons = {one.path: one.reason for one in passed_over}
    for name in found.class_names:
        if name in learnt:
            continue
        entries = [one for one in found.entries if one.class_name == name]
        paths = [names.showable(entry.path) for entry in entries if entry.learns]
        which = f'None of the {len(paths)} {words.pictures} of the class "{name}" could'
        if len(paths) == 1:
            which = f'The only {words.picture} of the class "{name}" could not'
        raise DatasetError(
            f"{which} be used for training; the first, {paths[0]}: {reasons[paths[0]]}",
            f"Add {words.pictures} that can be read or remove the folder.",
        )


def flat(pictures: Sequence[Picture], scale: Grey | None) -> tuple[str, ...]:
    """Paths of the pictures in which a model sees next to nothing."""
    return tuple(
        names.showable(one.entry.path)
        for one in pictures
        if staging.comes_out_flat(one, scale)
    )


def has_given_val(pictures: Sequence[Picture]) -> bool:
    return any(one.entry.split == "val" for one in pictures)


def split(
    found: Index, pictures: Sequence[Picture], val: float, test: float, seed: int
) -> tuple[Image, ...]:
    """The images with their splits; given ones are kept."""
    label_of = {name: label for label, name in enumerate(found.class_names)}
    labels = [label_of[one.entry.class_name] for one in pictures]
    chosen: list[Split | None] = [one.entry.split for one in pictures]
    if not has_given_val(pictures):
        to_split = [at for at, split in enumerate(chosen) if split != "test"]
        # Who brings a test folder wants these tests, not some of train beside them.
        if "test" in chosen:
            test = 0.0
        drawn = splits.stratify(
            [labels[at] for at in to_split],
            val,
            test,
            seed,
            [pictures[at].group or pictures[at].entry.path for at in to_split],
        )
        for at, drawn_split in zip(to_split, drawn, strict=True):
            chosen[at] = drawn_split
    return tuple(
        Image(
            sha256=one.sha256,
            path=names.showable(one.entry.path),
            label=label,
            split=split or "train",
            day=one.day,
        )
        for one, label, split in zip(pictures, labels, chosen, strict=True)
    )
