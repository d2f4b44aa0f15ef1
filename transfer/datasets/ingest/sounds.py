"""Brings a folder or zip of recordings into the workspace as a dataset of sounds."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from transfer.datasets import facts, library, scratch, splits
from transfer.datasets.ingest import hearing, importer, listing, samples
from transfer.datasets.ingest.hearing import Clip
from transfer.datasets.ingest.layouts import Reading
from transfer.datasets.ingest.sources import open_source
from transfer.datasets.ingest.staging import Allow, Progress
from transfer.datasets.revision import Image, Revision, with_id
from transfer.datasets.sounds import presets
from transfer.datasets.sounds.recordings import MAX_SECONDS
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.datasets.sounds.windows import Cutting
from transfer.datasets.wording import WORDS
from transfer.errors import ConfigError, StorageError

#: Seconds of the shortest window that recordings are cut into.
_SHORTEST = 0.1


def import_sounds(
    path: Path,
    name: str,
    *,
    cutting: Cutting = Cutting(),  # noqa: B008
    preset: str = "",
    val: float = 0.2,
    test: float = 0.0,
    seed: int = 0,
    reading: Reading = Reading(),  # noqa: B008
    progress: Progress | None = None,
    allow: Allow | None = None,
) -> Revision:
    """A new dataset made of the recordings in a folder or zip.

    As `importer.import_path`; windows of one recording go into one split together.

    Args:
        path: The folder or .zip.
        name: Name of the new dataset.
        cutting: How long recordings are cut into windows.
        preset: One of `presets.PRESETS`; the one that fits the lengths if empty.
        val: Share of each class's recordings that goes to val, in [0, 0.9].
        test: Share of each class's recordings that goes to test, in [0, 0.9].
        seed: Seed of the split.
        reading: How the folder or zip is to be read where that is not found out.
        progress: As in `importer.import_path`.
        allow: See `staging.Allow`.

    Raises:
        ConfigError: The name, a share, the window or the preset cannot be used.
        NameTakenError: There is a dataset of that name.
        DatasetError: The folder or zip cannot become a dataset.
        StorageError: The disk is full or the workspace cannot be written.
    """
    library.check_name(name)
    splits.check_shares(val, test, seed)
    check(cutting, preset)
    # What is whole overlaps nothing, nor does what is added and cut later.
    cutting = cutting if cutting.window else Cutting()
    with (
        open_source(path, reading.code_page, "sounds") as source,
        scratch.folder() as folder,
    ):
        found = listing.read_index(source, reading)
        clips, unusable = hearing.stage(
            source, found.entries, folder, cutting, progress, allow
        )
        kept, repeated = importer.without_repeats(clips, "sounds")
        passed_over = (*found.passed_over, *unusable, *repeated)
        importer.check_classes(found, kept, passed_over, WORDS["sounds"])
        lengths = [one.seconds for one in kept]
        rates = [one.rate for one in kept]
        shown = preset or presets.fitting(lengths, cutting.window)
        how = presets.of(shown, lengths, rates, cutting.window)
        images = importer.split(found, kept, val, test, seed)
        notes = [*found.notes, *_notes(kept, shown), *hearing.findings(kept)]
        revision = with_id(
            Revision(
                dataset=name,
                id="",
                class_names=found.class_names,
                images=images,
                passed_over=tuple(sorted(passed_over, key=lambda one: one.path)),
                split_source="given" if importer.has_given_val(kept) else "stratified",
                val=val,
                test=test,
                seed=seed,
                notes=tuple(notes) + tuple(_unsplit(images, found.class_names, val)),
                created_at=time.time(),
                flat=importer.flat(kept, None),
                sound=how,
                cutting=cutting,
            )
        )
        library.store(revision, {one.sha256: one.path for one in kept})
        with suppress(StorageError):
            facts.keep(name, {one.sha256: one.fact for one in kept})
    return revision


def import_sample(sample: str, name: str, **how: Any) -> Revision:
    """A new dataset made of a sample of sounds; see `importer.import_sample`."""
    return import_sounds(samples.folder_of(samples.get(sample)), name, **how)


def check(cutting: Cutting, preset: str = "") -> None:
    """Returns quietly where recordings can be cut and drawn so.

    Raises:
        ConfigError: They cannot; all reasons are named at once.
    """
    problems = []
    if cutting.window and not _SHORTEST <= cutting.window <= MAX_SECONDS:
        problems.append(
            f"window is {cutting.window:g} seconds, but must be from {_SHORTEST:g} to "
            f"{MAX_SECONDS:g}"
        )
    if not 0 <= cutting.overlap <= 0.9:
        problems.append(f"overlap is {cutting.overlap:g}, but must be from 0 to 0.9")
    if preset and preset not in presets.PRESETS:
        problems.append(
            f'there is no preset "{preset}"; expected {" or ".join(presets.PRESETS)}'
        )
    if problems:
        raise ConfigError("; ".join(problems) + ".")


def cutting_of(before: Revision, window: float | None) -> Cutting | None:
    """How recordings that are added are cut; None for images.

    Args:
        before: What they are added to.
        window: Seconds of their windows, 0 for none; None for as those before.

    Raises:
        ConfigError: They cannot be cut so.
    """
    if before.sound is None:
        if window is not None:
            raise ConfigError("Only recordings are cut; this dataset is of images.")
        return None
    how = before.cutting or _cut_before(before, before.sound)
    if window is not None:
        how = how._replace(window=window)
        check(how)
    return how


def _cut_before(before: Revision, how: Spectrogram) -> Cutting:
    """How recordings were cut where the manifest is from before it said so."""
    are_cut = any(hearing.recording_of(one.path) != one.path for one in before.images)
    return Cutting(how.seconds if are_cut else 0.0)


def _notes(clips: Sequence[Clip], shown: str) -> Iterator[str]:
    lengths = sorted(one.seconds for one in clips)
    whole = len({one.group for one in clips})
    cut = f", cut into {len(clips):,} windows" if whole < len(clips) else ""
    yield (
        f"{whole:,} recordings, {sum(lengths) / 60:.1f} minutes in all{cut}; drawn as "
        f"{presets.TITLES[shown]}."
    )
    rates = {one.rate for one in clips}
    if len(rates) > 1:
        yield (
            f"Recordings have {len(rates)} rates, from {min(rates):,} to "
            f"{max(rates):,} Hz; all are brought to one."
        )


def _unsplit(
    images: Sequence[Image], class_names: Sequence[str], val: float
) -> Iterator[str]:
    """Classes of one recording, which cannot be in train and val."""
    recorded = defaultdict[int, set[str]](set)
    for one in images:
        recorded[one.label].add(hearing.recording_of(one.path))
    single = [
        class_names[label] for label, of in sorted(recorded.items()) if len(of) < 2
    ]
    if single and val:
        yield (
            f"Of {', '.join(single[:5])} there is one recording only, so that val has "
            "none of it: windows of one recording are too much alike to test with."
        )
