"""Reads a listing whose classes a file of labels says, not its folders."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from transfer.datasets import kinds, names
from transfer.datasets.ingest import label_files, layouts
from transfer.datasets.ingest.class_folders import Entry, Index, no_pictures, pass_over
from transfer.datasets.ingest.label_files import Row
from transfer.datasets.ingest.sources import Source
from transfer.datasets.revision import PassedOver, Split

#: Share of the pictures that files of labels name at the least to be believed unasked.
_SHARE = 0.5
#: What Label Studio puts before the name of each file that is uploaded to it.
_UPLOADED = re.compile(r"^[0-9a-f]{8}-")


@dataclass(frozen=True, kw_only=True)
class _Labelled:
    """What the files of labels say of the pictures.

    Attributes:
        rows: Row and file of each picture that they name.
        files: The files, each with the number of pictures that it names.
    """

    rows: Mapping[str, tuple[Row, str]]
    files: Counter[str]


def read_index(source: Source, is_asked_for: bool, fewest: int = 2) -> Index | None:
    """The classes and splits as files of labels say them; None where none are believed.

    Args:
        source: The listing.
        is_asked_for: Whether they are believed however few pictures they name.
        fewest: Classes at the least.
    """
    found = _read(source)
    labels = {row.labels for row, _ in found.rows.values() if len(row.labels) == 1}
    enough = is_asked_for or len(found.rows) >= _SHARE * len(source.pictures)
    if len(labels) < fewest or not enough:
        return None
    entries, passed_over = _assign(source, found)
    learnt = {entry.class_name for entry in entries if entry.learns}
    passed_over += [
        pass_over(one.path, f'Of a class "{one.class_name}", of which train has none.')
        for one in entries
        if one.class_name not in learnt
    ]
    passed_over += [*source.passed_over, *_other_files(source, found)]
    return Index(
        class_names=tuple(sorted(learnt)),
        entries=tuple(one for one in entries if one.class_name in learnt),
        passed_over=tuple(sorted(passed_over, key=lambda one: one.path)),
        layout="labels",
        splits={},
        notes=(*source.notes, f"The labels are those of {_in_words(found.files)}."),
    )


def _read(source: Source) -> _Labelled:
    known = _Pictures(source.pictures)
    rows: dict[str, tuple[Row, str]] = {}
    files: Counter[str] = Counter()
    for name in sorted(source.files):
        is_small = source.files[name] <= label_files.MAX_BYTES
        if not (kinds.may_be_labels(name) and is_small):
            continue
        with source.open(name) as file:
            read = label_files.read(name, file.read())
        for row in read:
            picture = known.find(row.file, layouts.parent(name))
            if picture and picture not in rows:
                rows[picture] = row, name
                files[name] += 1
    return _Labelled(rows=rows, files=files)


class _Pictures:
    """The pictures of a listing, found by whatever names they are given.

    Args:
        pictures: Their paths.
    """

    def __init__(self, pictures: Iterable[str]) -> None:
        self._all = frozenset(pictures)
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        for path in sorted(self._all):
            file = layouts.name(path)
            stem = file.rpartition(".")[0]
            for name in {file, stem, _UPLOADED.sub("", file)}:
                self._by_name[name].append(path)

    def find(self, text: str, folder: str) -> str:
        """The picture that a file of labels in this folder calls so; empty if none."""
        path = (
            unquote(text.rpartition("?d=")[2]) if "%" in text or "?" in text else text
        )
        path = path.replace("\\", "/").removeprefix("./").strip("/")
        for base in (folder, ""):
            for middle in ("", "images/", "data/"):
                one = f"{base}/{middle}{path}".lstrip("/")
                if one in self._all:
                    return one
        return self._only(path, folder)

    def _only(self, path: str, folder: str) -> str:
        """The one picture of this name, of all or below the folder."""
        file = layouts.name(path)
        of_name = self._by_name.get(file) or self._by_name.get(_UPLOADED.sub("", file))
        found = of_name or []
        for narrower in (
            [one for one in found if one.endswith(f"/{path}")],
            [one for one in found if one.startswith(f"{folder}/")],
            found,
        ):
            if len(narrower) == 1:
                return narrower[0]
        return ""


def _assign(source: Source, found: _Labelled) -> tuple[list[Entry], list[PassedOver]]:
    entries, passed_over = [], []
    for path in sorted(source.pictures):
        row, file = found.rows.get(path, (Row("", ()), ""))
        if len(row.labels) == 1:
            name = names.class_name(row.labels[0])
            split = _split(row, file, path)
            entries.append(Entry(path=path, class_name=name, split=split))
        elif row.labels:
            several = names.in_words(row.labels, 3)
            passed_over.append(pass_over(path, f"It has several labels: {several}."))
        else:
            passed_over.append(pass_over(path, "No file of labels gives it one."))
    return entries, passed_over


def _split(row: Row, file: str, path: str) -> Split | None:
    """The split that the row says, else the folder of its file, else its own."""
    if row.split:
        return layouts.split_of(row.split)
    folders = [layouts.name(layouts.parent(file)), *path.split("/")[:-1]]
    said = (layouts.split_of(one) for one in folders)
    return next((one for one in said if one), None)


def _other_files(source: Source, found: _Labelled) -> list[PassedOver]:
    said = {names.showable(file) for file in found.files}
    return [one for one in no_pictures(source) if one.path not in said]


def _in_words(files: Counter[str]) -> str:
    return names.in_words([names.showable(name) for name, _ in files.most_common()], 3)
