"""How folders are laid out: which of them are classes, and which are splits.

Three layouts are known, each below any number of wrapping folders: class folders; split
folders with class folders inside; class folders with split folders inside. Where a file
of labels says the classes, folders say nothing of them: see `labelled`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from transfer.datasets import names
from transfer.datasets.revision import SPLITS, Split
from transfer.errors import ConfigError, DatasetError

Layout = Literal["classes", "splits", "class-first", "labels"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)

#: What may be said of a folder that stands where splits stand.
LEFT_OUT = "left out"
ROLES = (*SPLITS, LEFT_OUT)

#: Names that are a split wherever they stand, in lower case.
_PLAIN: dict[str, Split] = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}

#: Words in names such as `Training`, `seg_test` or `validation_set`, which are a split
#: only where folders of the same names lie inside.
_WORDS: dict[Split, str] = {
    "train": "train|training|trainval|trn|训练|訓練|学習",
    "val": "val|valid|validation|validate|dev|eval|evaluation|验证|驗證|検証",
    "test": "test|testing|tst|holdout|测试|測試|テスト",
}
_THINGS = "set|sets|data|images|imgs|folder|集"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a folder or zip is to be read; what is not said is found out.

    Attributes:
        layout: Whether its folders are classes, splits, or classes that hold splits; or
            that a file of labels says the classes.
        splits: What the folders that stand for splits are, by their names: `train`,
            `val`, `test` or `left out`.
        code_page: In which the names in a zip are written, such as `gbk`.
    """

    layout: Layout | None = None
    splits: Mapping[str, str] = field(default_factory=dict)
    code_page: str = ""

    def __post_init__(self) -> None:
        wrong = sorted({*self.splits.values()} - {*ROLES})
        if self.layout not in (None, *LAYOUTS) or wrong:
            raise ConfigError(
                f"The layout {self.layout!r} or the roles {wrong} are not known.",
                f"Layouts: {', '.join(LAYOUTS)}; roles: {', '.join(ROLES)}.",
            )


@dataclass(frozen=True, kw_only=True)
class Home:
    """A folder whose pictures belong together.

    Attributes:
        class_folder: Path of the folder that names their class.
        split: Theirs; None where no split is given.
    """

    class_folder: str
    split: Split | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What was understood of a tree.

    Attributes:
        layout: Which of the layouts it is.
        homes: By path of the folder; pictures in folders inside belong to it too.
        splits: What the folders that stand for splits are, by their names; None for
            those that are left out.
    """

    layout: Layout
    homes: Mapping[str, Home]
    splits: Mapping[str, Split | None]


class Tree:
    """The folders that hold pictures, at any depth, and what lies in them.

    Args:
        pictures: Relative paths with `/`; the root is the empty path.
    """

    def __init__(self, pictures: Iterable[str]) -> None:
        self.direct = Counter(parent(path) for path in pictures)
        self.below: Counter[str] = Counter()
        self._children: defaultdict[str, set[str]] = defaultdict(set)
        # From each folder upwards, not from each picture: there are far more of these.
        for folder, count in self.direct.items():
            for child in _upwards(folder):
                self._children[parent(child)].add(child)
                self.below[parent(child)] += count

    def inside(self, folder: str) -> list[str]:
        """The folders directly in `folder`, sorted."""
        return sorted(self._children.get(folder, ()))

    def names(self, folder: str) -> set[str]:
        """What those are called."""
        return {name(one).casefold() for one in self.inside(folder)}

    def unwrap(self, folder: str, known: Collection[str] = ()) -> str:
        """The folder below all folders that only wrap another one.

        Args:
            folder: Where to begin.
            known: Names in lower case of folders that wrap none.
        """
        while len(inside := self.inside(folder)) == 1:
            (only,) = inside
            if name(only).casefold() in known or not self._wraps(only):
                break
            folder = only
        return folder

    def _wraps(self, folder: str) -> bool:
        """Whether it holds folders, and hardly a picture beside them, as a cover is."""
        inside = len(self.inside(folder))
        beside, below = self.direct[folder], self.below[folder]
        return inside > 0 and (not beside or (inside > 1 and beside < below))


def parent(path: str) -> str:
    """The folder that a path lies in; the empty path is the root."""
    return path.rpartition("/")[0]


def name(path: str) -> str:
    """The last part of a path."""
    return path.rpartition("/")[2]


def _upwards(folder: str) -> Iterator[str]:
    """The folder and those above it, without the root."""
    while folder:
        yield folder
        folder = parent(folder)


def understand(tree: Tree, reading: Reading) -> Plan:
    """The layout of a tree, as it is said or else as it looks.

    Raises:
        DatasetError: There are split folders, but none for train; or what is said of
            splits is of folders that are none.
    """
    # Of a train folder alone, val is still to be taken out.
    known = () if reading.layout == "classes" else ("train",)
    tops = tree.inside(tree.unwrap("", known))
    layout = reading.layout or _recognise(tree, tops)
    if layout == "splits":
        return _splits_first(tree, tops, reading)
    if layout == "class-first":
        return _classes_first(tree, tops, reading)
    _as_said({}, reading)
    homes = {top: Home(class_folder=top, split=None) for top in tops}
    return Plan(layout=layout, homes=homes, splits={})


def _recognise(tree: Tree, tops: list[str]) -> Layout:
    plain = _plain_roles(tops)
    if _are_given(plain) or _look_like_splits(tree, tops):
        return "splits"
    return "class-first" if _hold_splits(tree, tops) else "classes"


def _plain_roles(folders: list[str]) -> dict[str, Split | None]:
    return {one: _PLAIN.get(name(one).lower()) for one in folders}


def _are_given(roles: Mapping[str, Split | None]) -> bool:
    """Whether the plain names are splits; "train" beside "plane" is a class."""
    kinds = {*roles.values()}
    named = kinds - {None}
    return bool(named) and (None not in kinds or ("train" in named and len(named) > 1))


def _look_like_splits(tree: Tree, tops: list[str]) -> bool:
    """Whether they are named like splits and hold folders of the same names."""
    named: defaultdict[Split | None, set[str]] = defaultdict(set)
    for top in tops:
        named[split_of(name(top))] |= tree.names(tree.unwrap(top))
    learnt = named["train"]
    return (
        len(learnt) > 1
        and bool(learnt & (named["val"] | named["test"]))
        and not learnt & named[None]
    )


def _hold_splits(tree: Tree, tops: list[str]) -> bool:
    """Whether each of several folders holds nothing but splits, train among them."""
    kinds = [{split_of(name(one)) for one in tree.inside(top)} for top in tops]
    return (
        len(tops) > 1
        and all("train" in one and None not in one for one in kinds)
        and any(len(one) > 1 for one in kinds)
    )


def split_of(folder: str) -> Split | None:
    """The split that a folder's name speaks of, as `seg_train` does."""
    # Whole words only: `latest` and `contest` speak of no test.
    text = folder.lower()
    spoken = {
        split
        for split, words in _WORDS.items()
        if re.search(rf"(?<![^\W\d_])({words})({_THINGS})?(?![^\W\d_])", text)
    }
    if "train" in spoken and "test" not in spoken:
        return "train"  # also "train_val", of which val is to be taken out
    return spoken.pop() if len(spoken) == 1 else None


def _splits_first(tree: Tree, tops: list[str], reading: Reading) -> Plan:
    roles = _plain_roles(tops)
    if not _are_given(roles):
        roles = {top: split_of(name(top)) for top in tops}
        if not any(roles.values()):
            roles = dict.fromkeys(tops, "train")
    roles = _as_said(roles, reading)
    if "train" not in roles.values():
        raise _no_train(roles)
    homes: dict[str, Home] = {}
    # Train first: its classes tell which folders of val and test only wrap others.
    for top in sorted(tops, key=lambda one: SPLITS.index(roles[one] or "test")):
        if split := roles[top]:
            learnt = {name(one).casefold() for one in homes}
            for folder in tree.inside(tree.unwrap(top, learnt)):
                homes[folder] = Home(class_folder=folder, split=split)
    return Plan(layout="splits", homes=homes, splits=_by_name(roles))


def _classes_first(tree: Tree, tops: list[str], reading: Reading) -> Plan:
    inside = [one for top in tops for one in tree.inside(top)]
    found: dict[str, Split | None] = {
        one: split_of(name(one)) or "train" for one in inside
    }
    roles = _as_said(found, reading)
    homes = {top: Home(class_folder=top, split="train") for top in tops}
    for folder, split in roles.items():
        # A folder that is left out has a home too, or its pictures would fall to the
        # class folder above it.
        homes[folder] = Home(class_folder=parent(folder) if split else "", split=split)
    return Plan(layout="class-first", homes=homes, splits=_by_name(roles))


def _as_said(
    roles: Mapping[str, Split | None], reading: Reading
) -> dict[str, Split | None]:
    """The roles, with those in their place that the user gave."""
    folders = {names.showable(name(one)) for one in roles}
    if unknown := sorted(reading.splits.keys() - folders):
        raise DatasetError(
            f"There are no folders {names.in_words(unknown)} that could be splits.",
            f"Those that could: {names.in_words(sorted(folders), 20) or 'none'}.",
        )
    said: dict[str, Split | None] = {LEFT_OUT: None, **{one: one for one in SPLITS}}
    given = {folder: said[role] for folder, role in reading.splits.items()}
    return {
        one: given.get(names.showable(name(one)), role) for one, role in roles.items()
    }


def _by_name(roles: Mapping[str, Split | None]) -> dict[str, Split | None]:
    return {names.showable(name(one)): role for one, role in roles.items()}


def _no_train(roles: Mapping[str, Split | None]) -> DatasetError:
    folders = " and ".join(names.showable(name(one)) for one in roles)
    return DatasetError(
        f"There are the folders {folders}, but no train folder beside them.",
        "Add a train folder, import a folder with one folder per class, or say which "
        "folder is train.",
    )
