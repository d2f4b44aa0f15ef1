"""Reads a listing of files as a dataset: which class and which split each belongs to.

Two layouts are known, each below any number of wrapping folders: one folder per class,
or `train`, `val` and `test` folders with class folders inside.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from transfer.datasets.images import IMAGE_EXTENSIONS
from transfer.datasets.revision import PassedOver, Split
from transfer.errors import DatasetError

#: Names of split folders in lower case.
SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}

_LAYOUT_HINT = (
    "Put the pictures of each class into a folder of its own, named like the class, "
    "and import the folder above them."
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One picture of the listing.

    Attributes:
        path: As it stands in the listing.
        class_name: Name of its class folder.
        split: Split of the folder that it lies in; None where no split is given.
    """

    path: str
    class_name: str
    split: Split | None

    @property
    def learns(self) -> bool:
        """Whether it is, or may become, a picture of train."""
        return self.split in (None, "train")


@dataclass(frozen=True, kw_only=True)
class Index:
    """A listing that was understood.

    Attributes:
        class_names: Sorted once for all splits; the position is the label.
        entries: The pictures, sorted by path.
        passed_over: Files that are not part of the dataset, sorted by path.
    """

    class_names: tuple[str, ...]
    entries: tuple[Entry, ...]
    passed_over: tuple[PassedOver, ...]


def read_index(files: Iterable[str], folders: Iterable[str]) -> Index:
    """The classes and splits of a listing; label order never depends on its order.

    Args:
        files: Relative paths with `/`.
        folders: Relative paths of folders; those of files need not be named.

    Raises:
        DatasetError: There are no class folders, only one class, or a class without
            pictures (in train, where splits are given).
    """
    tree = _Tree(files, folders)
    root = tree.unwrapped()
    classes = _class_folders(tree, root)
    if not classes:
        raise _no_class_folders(tree)
    entries, passed_over = _assigned(tree.files, classes)
    class_names = tuple(sorted({entry.class_name for entry in classes.values()}))
    if len(class_names) < 2:
        raise DatasetError(
            f'There is only one class, "{class_names[0]}"; at least two are needed.',
            "Add a folder with pictures of something else.",
        )
    _check_filled(class_names, entries)
    return Index(
        class_names=class_names, entries=entries, passed_over=tuple(passed_over)
    )


def shown(path: str) -> str:
    """The path as text; bytes that are not UTF-8 become question marks."""
    return path.encode("utf-8", "replace").decode("utf-8")


class _Tree:
    """Files and folders of a listing, with the folders that hold each other."""

    def __init__(self, files: Iterable[str], folders: Iterable[str]) -> None:
        self.files = [PurePosixPath(path) for path in sorted(files)]
        self.children: dict[PurePosixPath, set[PurePosixPath]] = {}
        self.pictured = {path.parent for path in self.files if _is_picture(path)}
        parents = {path.parent for path in self.files}
        for folder in parents | {PurePosixPath(path) for path in folders}:
            for child in (folder, *folder.parents):
                if child.name:
                    self.children.setdefault(child.parent, set()).add(child)

    def inside(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """The folders directly in `folder`, sorted."""
        return sorted(self.children.get(folder, ()))

    def unwrapped(self) -> PurePosixPath:
        """The folder below all folders that only wrap another one."""
        root = PurePosixPath()
        while len(inside := self.inside(root)) == 1 and root not in self.pictured:
            (only,) = inside
            if only.name.lower() == "train":
                break  # a given split with its val still to be taken out
            if not self.inside(only) or only in self.pictured:
                break  # a class folder
            root = only
        return root


def _is_picture(path: PurePosixPath) -> bool:
    return path.suffix.lower() in IMAGE_EXTENSIONS


def _class_folders(tree: _Tree, root: PurePosixPath) -> dict[PurePosixPath, Entry]:
    """Class and split by class folder."""
    inside = tree.inside(root)
    splits = {
        folder: SPLIT_FOLDERS[folder.name.lower()]
        for folder in inside
        if folder.name.lower() in SPLIT_FOLDERS
    }
    if not _are_given(splits, inside):
        return {folder: _class_folder(folder, None) for folder in inside}
    if "train" not in splits.values():
        names = " and ".join(folder.name for folder in splits)
        raise DatasetError(
            f"There are the folders {names}, but no train folder beside them.",
            "Add a train folder, or import a folder with one folder per class.",
        )
    return {
        folder: _class_folder(folder, split)
        for split_folder, split in splits.items()
        for folder in tree.inside(split_folder)
    }


def _are_given(splits: dict[PurePosixPath, Split], inside: list[PurePosixPath]) -> bool:
    """Whether these are split folders; "train" beside "plane" is a class."""
    kinds = set(splits.values())
    return bool(kinds) and (
        len(splits) == len(inside) or ("train" in kinds and len(kinds) > 1)
    )


def _class_folder(folder: PurePosixPath, split: Split | None) -> Entry:
    # macOS writes accents as characters of their own; the same name must be one class.
    name = unicodedata.normalize("NFC", shown(folder.name))
    return Entry(path=str(folder), class_name=name, split=split)


def _assigned(
    files: list[PurePosixPath], classes: dict[PurePosixPath, Entry]
) -> tuple[tuple[Entry, ...], list[PassedOver]]:
    depth = len(next(iter(classes)).parts)
    entries: list[Entry] = []
    passed_over: list[PassedOver] = []
    for path in files:
        home = classes.get(PurePosixPath(*path.parts[:depth]))
        if not _is_picture(path):
            reason = "Not an image file."
        elif home is None or len(path.parts) == depth:
            reason = "Not in a class folder."
        else:
            entries.append(
                Entry(path=str(path), class_name=home.class_name, split=home.split)
            )
            continue
        passed_over.append(PassedOver(path=shown(str(path)), reason=reason))
    return tuple(entries), passed_over


def _check_filled(class_names: tuple[str, ...], entries: tuple[Entry, ...]) -> None:
    learning = Counter(entry.class_name for entry in entries if entry.learns)
    empty = [name for name in class_names if not learning[name]]
    if not empty:
        return
    names = ", ".join(f'"{name}"' for name in empty)
    given = any(entry.split for entry in entries)
    where = " in the train folder" if given else ""
    raise DatasetError(
        f"{'These classes hold' if len(empty) > 1 else 'This class holds'} "
        f"no pictures{where}: {names}.",
        "Add pictures or remove the folder.",
    )


def _no_class_folders(tree: _Tree) -> DatasetError:
    pictures = sum(_is_picture(path) for path in tree.files)
    if not pictures:
        return DatasetError("There are no pictures in it.", _LAYOUT_HINT)
    return DatasetError(
        f"There are no class folders; {pictures} pictures lie outside of any.",
        _LAYOUT_HINT,
    )
