"""The pictures on the pile of a dataset, and what was decided of them.

They lie in the image store already, so that features and small pictures of them are
kept like those of any image. What was decided is a list of steps in a file: a reload
loses none, and the last one can be taken back.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from transfer import workspace
from transfer.datasets import library, names, scratch
from transfer.datasets.decoding import Levels
from transfer.datasets.facts import Fact
from transfer.datasets.ingest import adding, class_folders, staging
from transfer.datasets.ingest.adding import Addition
from transfer.datasets.ingest.class_folders import Entry
from transfer.datasets.ingest.importer import without_repeats
from transfer.datasets.ingest.sources import open_source
from transfer.datasets.ingest.staging import Allow, Picture, Progress
from transfer.datasets.lock import one_writer
from transfer.datasets.revision import PassedOver
from transfer.errors import DatasetError, NotFoundError, StorageError

#: The class of what shows none of them: it goes, and is not asked about again.
NONE = ""


class Said(NamedTuple):
    """What a run said of a picture before it came."""

    class_name: str
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Pile:
    """The pictures on a pile.

    Attributes:
        dataset: Name of the dataset that they are sorted into.
        pictures: All of them, sorted by path; each entry has no class.
        steps: What was decided, in its order: class by SHA-256, or `NONE`.
        said: What a run said of some, by SHA-256; of those that an undo brought back,
            what they were sorted as.
        sorted_in: Those that are in the dataset; they come back if that is undone.
    """

    dataset: str
    pictures: tuple[Picture, ...] = ()
    steps: tuple[Mapping[str, str], ...] = ()
    said: Mapping[str, Said]
    sorted_in: tuple[Picture, ...] = ()

    @cached_property
    def decided(self) -> dict[str, str]:
        """The class of each picture that was decided; the last word counts."""
        here = {one.sha256 for one in self.pictures}
        every = {sha: name for step in self.steps for sha, name in step.items()}
        return {sha: name for sha, name in every.items() if sha in here}

    @property
    def open(self) -> list[str]:
        """SHA-256 of those that are still to be decided."""
        return [x.sha256 for x in self.pictures if x.sha256 not in self.decided]


def read(dataset: str) -> Pile:
    """The pile of a dataset, which may be empty.

    Raises:
        NotFoundError: There is no such dataset.
        StorageError: It cannot be read.
    """
    folder = folder_of(dataset)
    try:
        path = folder / "pictures.json"
        every = _parse(path, path.stat().st_mtime_ns) if path.exists() else ()
        newest = library.load(dataset)
        there = {one.sha256 for one in (*newest.images, *newest.left_out)}
        return Pile(
            dataset=dataset,
            pictures=tuple(one for one in every if one.sha256 not in there),
            sorted_in=tuple(one for one in every if one.sha256 in there),
            steps=tuple(_load(folder / "steps.json", [])),
            said={s: Said(*v) for s, v in _load(folder / "said.json", {}).items()},
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StorageError(
            f'The pile of the dataset "{names.title(dataset)}" in {folder} cannot be '
            f"read: {error}.",
            "Remove that folder; the pictures have to be brought again then.",
        ) from error


def bring(
    path: Path,
    dataset: str,
    said: Mapping[str, Said] | None = None,
    progress: Progress | None = None,
    allow: Allow | None = None,
) -> tuple[int, list[PassedOver]]:
    """Puts pictures without labels on the pile.

    Args:
        path: A folder, a zip, or one picture.
        dataset: Name of the dataset.
        said: What a run said of pictures, by path; only these are brought then.
        progress: As in `importer.import_path`.
        allow: See `staging.Allow`.

    Returns:
        How many are new, and what was not taken and why.

    Raises:
        NotFoundError: There is no such dataset.
        DatasetError: There is no picture.
        StorageError: The disk is full or the workspace cannot be written.
    """
    if library.load(dataset).kind == "sounds":
        raise DatasetError(
            f'The dataset "{names.title(dataset)}" has sounds; only pictures are '
            "sorted.",
            "Add recordings with their classes.",
        )
    with open_source(path) as source, scratch.folder() as folder:
        found = sorted(source.pictures)
        wanted = [x for x in found if said is None or names.showable(x) in said]
        left = [*source.passed_over, *class_folders.no_pictures(source)]
        if not wanted:
            instead = class_folders.what_is_there(left)
            raise DatasetError(f"There is no picture in it.{instead}")
        entries = [Entry(path=one, class_name="", split=None) for one in wanted]
        pictures, unreadable = staging.stage(source, entries, folder, progress, allow)
        pictures, repeated = without_repeats(pictures)
        with _changing(dataset) as pile:
            new, known = _tell_apart(pictures, pile)
            library.take_files({one.sha256: one.path for one in new})
            staging.keep_thumbnails(new)
            _write(pile, [*pile.pictures, *new], pile.steps)
            paths = {one.sha256: names.showable(one.entry.path) for one in new}
            answers = {sha: said[path] for sha, path in paths.items() if said}
            _save(dataset, "said", {**pile.said, **answers})
    return len(new), [*left, *unreadable, *repeated, *known]


def decide(dataset: str, step: Mapping[str, str]) -> None:
    """Writes down the classes of some pictures.

    Args:
        dataset: Name of the dataset.
        step: Class by SHA-256; one of the dataset's, a new one, or `NONE`.

    Raises:
        NotFoundError: There is no such dataset, or picture on its pile.
        ConfigError: A class cannot be called so.
        StorageError: The workspace cannot be written.
    """
    known = library.load(dataset).class_names
    for name in {*step.values()} - {*known, NONE}:
        names.check_class_name(name)
    with _changing(dataset) as pile:
        gone = {*step} - {one.sha256 for one in pile.pictures}
        if gone:
            raise NotFoundError(
                f"{len(gone):,} of these pictures are not on the pile.",
                "They may be in the dataset by now.",
            )
        _save(dataset, "steps", [*pile.steps, dict(step)])


def take_back(dataset: str) -> None:
    """Forgets the last step; those before it stay."""
    with _changing(dataset) as pile:
        _save(dataset, "steps", pile.steps[:-1])


def take_in(dataset: str, by: str = "") -> Addition:
    """Brings all that was decided into the dataset, as one revision.

    Those that show no class go; those that were not decided stay on the pile. Should
    the revision be undone, its pictures are on the pile again.

    Raises:
        DatasetError: Nothing was decided.
        StorageError: The workspace cannot be written.
    """
    pile = read(dataset)
    if not pile.decided:
        raise DatasetError("Nothing was sorted yet.", "Say the class of some first.")
    sorted_in = [
        replace(one, entry=replace(one.entry, class_name=pile.decided[one.sha256]))
        for one in pile.pictures
        if pile.decided.get(one.sha256, NONE) != NONE
    ]
    found = adding.take_in(dataset, sorted_in, by)
    with _changing(dataset) as now:
        gone = {sha for sha, name in pile.decided.items() if name == NONE}
        rest = [one for one in now.pictures if one.sha256 not in gone]
        _write(now, rest, now.steps[len(pile.steps) :])
        kept = {sha: Said(name, 1.0) for sha, name in pile.decided.items() if name}
        _save(dataset, "said", {**now.said, **kept})
    return found


def clear(dataset: str) -> None:
    """Takes all pictures off the pile, whatever was decided."""
    with _changing(dataset) as pile:
        _write(pile, [], [])
    library.remove_unused_images()


def folder_of(dataset: str) -> Path:
    """Where a pile is kept, whether or not there is one.

    Raises:
        NotFoundError: There is no such dataset.
    """
    return library.folder_of(dataset) / "pile"


@contextmanager
def _changing(dataset: str) -> Iterator[Pile]:
    """The pile while nobody else changes it."""
    with one_writer():
        yield read(dataset)


def _tell_apart(
    pictures: Sequence[Picture], pile: Pile
) -> tuple[list[Picture], list[PassedOver]]:
    """The pictures that are new, and why others are not."""
    newest = library.load(pile.dataset)
    there = {one.sha256: one for one in (*newest.images, *newest.left_out)}
    waiting = {one.sha256 for one in pile.pictures}
    new, known = [], []
    for one in pictures:
        path = names.showable(one.entry.path)
        if one.sha256 in there:
            known.append(adding.why_known(one, there[one.sha256], newest))
        elif one.sha256 in waiting:
            known.append(PassedOver(path=path, reason="It is on the pile already."))
        else:
            new.append(one)
    return new, known


def _write(
    pile: Pile, pictures: Sequence[Picture], steps: Sequence[Mapping[str, str]]
) -> None:
    """Writes both lists, and the one that keeps the images from being removed."""
    pictures = [*pictures, *pile.sorted_in]
    kept = "\n".join(one.sha256 for one in pictures).encode()
    workspace.write_atomically(folder_of(pile.dataset) / library.KEPT, kept)
    pictures = sorted(pictures, key=lambda one: one.entry.path)
    _save(pile.dataset, "pictures", list(map(_to_json, pictures)))
    _save(pile.dataset, "steps", steps)


def _save(dataset: str, what: str, content: Any) -> None:
    path = folder_of(dataset) / f"{what}.json"
    workspace.write_atomically(path, json.dumps(content).encode())


@lru_cache(maxsize=8)
def _parse(path: Path, modified: int) -> tuple[Picture, ...]:
    # Once, and not at every press: of 10,000 pictures it takes 0.3 s.
    return tuple(map(_picture, json.loads(path.read_bytes())))


def _load(path: Path, otherwise: Any) -> Any:
    return json.loads(path.read_bytes()) if path.exists() else otherwise


def _to_json(picture: Picture) -> dict[str, Any]:
    return {
        "sha256": picture.sha256,
        "path": picture.entry.path,
        "fact": picture.fact,
        "levels": picture.levels,
        "is_flat": picture.is_flat,
        "day": picture.day,
    }


def _picture(data: Mapping[str, Any]) -> Picture:
    return Picture(
        entry=Entry(path=data["path"], class_name="", split=None),
        sha256=data["sha256"],
        path=library.image_path(data["sha256"]),
        fact=Fact(*data["fact"]),
        levels=Levels(*data["levels"]) if data["levels"] else None,
        is_flat=data["is_flat"],
        day=data["day"],
    )
